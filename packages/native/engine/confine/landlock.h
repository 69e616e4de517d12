// Landlock (landlock(7)): the static ceiling on files, TCP, abstract sockets and signals.
#pragma once

#include <string>
#include <vector>

#include "confine/report.h"

namespace pyisolate {

// A ruleset that only lets `readable` be read, or -1 with errno. Made once by the zygote; `abi` is set to
// the kernel's version (1: Linux 5.13).
int make_ruleset(const std::vector<std::string>& readable, int null, int& abi);

// Puts the calling thread (a cell's only one) into a domain of its own.
void enter_landlock(int ruleset, int abi, int error, Report& report);

}  // namespace pyisolate
