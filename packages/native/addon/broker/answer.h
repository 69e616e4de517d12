#pragma once

#include "call.h"

namespace pyisolate::broker {

// Ends a notified call (SECCOMP_IOCTL_NOTIF_SEND, Linux 5.0; SECCOMP_IOCTL_NOTIF_ADDFD, Linux 5.9). A guest that is
// gone is nobody's concern.
void answer(int listener, std::uint64_t notification, Answer result);

}  // namespace pyisolate::broker
