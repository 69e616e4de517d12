#pragma once

#include "call.h"

namespace pyisolate::broker {

// mkdir, rmdir, unlink, rename, link, symlink: calls that change what a folder holds.
Answer make_name_call(const Call& call, const Request& request);

}  // namespace pyisolate::broker
