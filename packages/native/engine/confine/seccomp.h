// The seccomp allow-list (seccomp(2)) of a cell.
#pragma once

#include <linux/filter.h>

#include <string>
#include <vector>

#include "confine/report.h"

namespace pyisolate {

// The filter's instructions, compiled once by the zygote. Empty, with `problem`, when libseccomp fails.
// `own_namespace`: cells are pid 1 of a namespace of their own, so signals can be bound to that pid.
std::vector<sock_filter> compile_filter(bool own_namespace, std::string& problem);

// Installs it on the calling process. The last step of confinement.
void enter_seccomp(const std::vector<sock_filter>& filter, const std::string& problem, Report& report);

}  // namespace pyisolate
