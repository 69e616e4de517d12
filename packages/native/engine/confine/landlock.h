// Landlock (landlock(7)): the static ceiling on files, TCP, abstract sockets and signals.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "confine/report.h"

namespace pyisolate {

// The kernel's version of Landlock (1: Linux 5.13), or -1 with errno.
int landlock_abi();

// What a version rules on: rights on files (LANDLOCK_ACCESS_FS_*), and on TCP from 4 on (LANDLOCK_ACCESS_NET_*).
std::uint64_t ruled_access_fs(int abi);
std::uint64_t ruled_access_net(int abi);

// A ruleset that denies all that the version rules on, or -1 with errno; the version is the kernel's or a lower one.
int make_denying_ruleset(int abi);

// Allows `access` below what a descriptor stands for: of a file, as much of it as files have. False: errno.
bool allow_beneath(int ruleset, int fd, std::uint64_t access);

// A ruleset that only lets `readable` be read, or -1 with errno. Made once by the zygote; `abi` is set to
// the kernel's version.
int make_ruleset(const std::vector<std::string>& readable, int null, int& abi);

// Puts the calling thread (a cell's only one) into a domain of its own.
void enter_landlock(int ruleset, int abi, int error, Report& report);

}  // namespace pyisolate
