#pragma once

#include "call.h"

namespace pyisolate::broker {

// Ends a notified call (SECCOMP_IOCTL_NOTIF_SEND, Linux 5.0; SECCOMP_IOCTL_NOTIF_ADDFD, Linux 5.9). A guest that is
// gone is nobody's concern. A descriptor that it has no room for is told of before it hears.
void answer(Client& client, std::uint64_t notification, Answer result);

}  // namespace pyisolate::broker
