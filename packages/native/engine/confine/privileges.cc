#include "confine/privileges.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

namespace pyisolate {
namespace {

// The bounding set of a new user namespace stays as it is: it bounds what execve(2) may add, which is nothing under
// no_new_privs (capabilities(7)), and dropping it call by call is 55 µs of a fork. The zygote has dropped the host's.
bool empty_capabilities() {
  prctl(PR_SET_SECUREBITS, SECURE_ALL_BITS | SECURE_ALL_LOCKS, 0, 0, 0);
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  return syscall(SYS_capset, &header, none) == 0;
}

bool limit(int resource, std::uint64_t value, std::uint64_t reserve = 0) {
  rlimit current;
  if (getrlimit(static_cast<__rlimit_resource>(resource), &current) != 0) return false;
  const rlim_t hard = std::min<rlim_t>(value + reserve, current.rlim_max);
  const rlimit wanted = {hard - std::min<rlim_t>(hard, reserve), hard};
  return setrlimit(static_cast<__rlimit_resource>(resource), &wanted) == 0;
}

std::uint64_t field_kib(const char* text, const char* name) {
  const char* at = std::strstr(text, name);
  return at == nullptr ? 0 : std::strtoull(at + std::strlen(name), nullptr, 10) * 1024;
}

}  // namespace

void drop_privileges(Report& report, bool readable) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
    report.active("no-new-privs", true, "nothing executed could gain rights");
  } else {
    report.missing("no-new-privs", true, "prctl", errno);
  }
  if (empty_capabilities()) {
    report.active("capabilities", true, "none, and none to be gained");
  } else {
    report.missing("capabilities", true, "capset", errno);
  }
  // ptrace_may_access() asks for a dumpable process unless the supervisor has CAP_SYS_PTRACE; a core limit of 1 alone
  // keeps the kernel from dumping, into a pipe too (core(5)).
  if (prctl(PR_SET_DUMPABLE, readable ? 1 : 0, 0, 0, 0) == 0) {
    report.active("not-dumpable", true,
                  readable ? "no core dump; its own uid may read it" : "no core dump, no ptrace by the same uid");
  } else {
    report.missing("not-dumpable", true, "prctl", errno);
  }
  if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0) {
    report.active("memory-deny-write-execute", false, "the kernel's own rule, beside seccomp's");
  } else {
    report.missing("memory-deny-write-execute", false, "prctl (Linux 6.3)", errno);
  }
}

void fixed_rlimits(Report& report, bool brokered) {
  // FSIZE: regular files only; rings, pipes and sockets aren't.
  bool ok = limit(RLIMIT_CORE, brokered ? 1 : 0) && (brokered || limit(RLIMIT_FSIZE, 0));
  for (const int resource : {RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_RTPRIO})
    ok = ok && limit(resource, 0);
  // The main thread's stack isn't in RLIMIT_DATA either: as large as CPython's recursion limits count on.
  if (!ok || !limit(RLIMIT_STACK, 8u << 20) || !limit(RLIMIT_SIGPENDING, 256)) {
    report.missing("rlimits", true, "setrlimit", errno);
    return;
  }
  report.active("rlimits", true,
                brokered ? "memory, CPU, threads, files, their size; no core, no locked memory"
                         : "memory, CPU, threads, files; no core, no file writes, no locked memory");
}

MemoryBase measure_memory(int proc) {
  char text[4096] = {};
  const int fd = openat(proc, "self/status", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  if (size <= 0) return {};
  return {field_kib(text, "VmData:"), field_kib(text, "VmSize:")};
}

bool apply_limits(const Limits& limits, const MemoryBase& base) {
  bool ok = limit(RLIMIT_NPROC, limits.threads + 1) && limit(RLIMIT_NOFILE, limits.open_files) &&
            limit(RLIMIT_FSIZE, limits.file_size);
  if (limits.memory != 0) {
    // RLIMIT_DATA is the cap: private writable memory. RLIMIT_AS bounds what is only reserved, and with
    // it the page tables that reading untouched memory costs.
    constexpr std::uint64_t kReservedPerThread = 48ull << 20;  // an allocator segment and a stack
    ok = ok && limit(RLIMIT_DATA, base.data + limits.memory, kMemoryReserve) &&
         limit(RLIMIT_AS, base.address_space + limits.memory + limits.reserve + (512ull << 20) +
                              kReservedPerThread * (limits.threads + 1));
  }
  if (limits.cpu_seconds > 0) {
    // Whole seconds: the supervisor's clock is the exact one, this one holds without it.
    ok = ok && limit(RLIMIT_CPU, static_cast<std::uint64_t>(std::ceil(limits.cpu_seconds)) + 1);
  }
  return ok;
}

}  // namespace pyisolate
