// The seccomp allow-list (seccomp(2)) of a cell.
#pragma once

#include <linux/filter.h>

#include <string>
#include <vector>

#include "confine/notify.h"
#include "confine/report.h"

namespace pyisolate {

struct Profile {
  bool own_namespace = false;  // cells are pid 1 of a namespace of their own: signals can be bound to that pid
  bool brokered = false;       // calls on files and sockets are answered before they reach the kernel
  std::vector<std::string> allow;
  std::vector<std::string> deny;  // wins
};

// For a process cell: the same with the calls that a notifying filter, which denies them, stands in front of.
Profile without_told(Profile profile, const std::vector<ToldCall>& told);

// The filter's instructions, compiled once by the zygote. Empty, with `problem`, when libseccomp fails.
// `told`: of a shared cell, denied calls that it notifies of. It has no listener of its own: in the cell's main thread
// they fail with ENOSYS (seccomp(2), SECCOMP_RET_USER_NOTIF), in a sandbox's the later filter's listener gets them, as
// of two filters that notify the newer one counts.
std::vector<sock_filter> compile_filter(const Profile& profile, const std::vector<ToldCall>& told,
                                        std::string& problem);

// Installs it on the calling process. The last step of confinement.
void enter_seccomp(const std::vector<sock_filter>& filter, const std::string& problem, Report& report);

}  // namespace pyisolate
