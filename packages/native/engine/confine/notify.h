// The second filter of a brokered cell: which calls go to the supervisor's broker (seccomp_unotify(2)).
#pragma once

#include <linux/filter.h>

#include <string>
#include <vector>

namespace pyisolate {

// A system call of the profile that a policy denies, and that the supervisor is told of.
struct ToldCall {
  std::string name;
  int number;
};

// Of those that a policy denies, the ones that can be answered by the supervisor: nothing that a cell needs before it
// is listened to, nor that is a call on files or sockets anyhow.
std::vector<ToldCall> told_calls(const std::vector<std::string>& denied);

// Notifies of every call on a path, of those that make, name or lead sockets, and of `told`; allows the rest, which the
// baseline filter then judges. The set on files and sockets is the same for every policy, so that any policy can follow
// another one live. Empty, with `problem`, when libseccomp fails.
std::vector<sock_filter> compile_notify_filter(const std::vector<ToldCall>& told, std::string& problem);

// Calls of the baseline filter that only brokered cells may make, as they never reach the kernel: by name.
const std::vector<const char*>& brokered_calls();

// Flags of seccomp(2) that install a listener; without SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV before Linux 5.19.
unsigned long listener_flags();

// Installs it on the calling thread. Returns the listener's descriptor, or -1 with errno.
int enter_notify(const std::vector<sock_filter>& filter);

}  // namespace pyisolate
