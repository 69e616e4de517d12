// The second filter of a brokered cell: which calls go to the supervisor's broker (seccomp_unotify(2)).
#pragma once

#include <linux/filter.h>

#include <string>
#include <vector>

namespace pyisolate {

// Notifies of every call on a path, and of those that make, name or lead sockets; allows the rest, which the baseline
// filter then judges. The set is the same for every policy, so that any policy can follow another one live. Empty, with
// `problem`, when libseccomp fails.
std::vector<sock_filter> compile_notify_filter(std::string& problem);

// Calls of the baseline filter that only brokered cells may make, as they never reach the kernel: by name.
const std::vector<const char*>& brokered_calls();

// Flags of seccomp(2) that install a listener; without SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV before Linux 5.19.
unsigned long listener_flags();

// Installs it on the calling thread. Returns the listener's descriptor, or -1 with errno.
int enter_notify(const std::vector<sock_filter>& filter);

}  // namespace pyisolate
