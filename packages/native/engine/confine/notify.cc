#include "confine/notify.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "confine/export_filter.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

namespace pyisolate {
namespace {

// Part of the baseline already.
constexpr const char* kOnPaths[] = {
    "open",   "openat",    "openat2",    "stat",     "lstat",      "newfstatat", "statx",  "statfs",
    "access", "faccessat", "faccessat2", "readlink", "readlinkat", "chdir",      "fchdir", "getcwd",
};

constexpr std::uint64_t kFastOpen = 0x20000000;  // MSG_FASTOPEN: connects on the way

}  // namespace

const std::vector<const char*>& brokered_calls() {
  static const std::vector<const char*> calls = {
      "creat",     "mkdir",     "mkdirat", "rmdir",   "unlink",    "unlinkat", "rename", "renameat",
      "renameat2", "link",      "linkat",  "symlink", "symlinkat", "truncate", "chmod",  "fchmodat",
      "fchmodat2", "utimensat", "socket",  "bind",    "connect",   "listen",
  };
  return calls;
}

unsigned long listener_flags() {
  static const unsigned long flags = [] {
    const unsigned long wanted = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    // A filter at address zero: a kernel that knows the flags gets as far as EFAULT.
    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, wanted, nullptr);
    return errno == EFAULT ? wanted : static_cast<unsigned long>(SECCOMP_FILTER_FLAG_NEW_LISTENER);
  }();
  return flags;
}

std::vector<ToldCall> told_calls(const std::vector<std::string>& denied) {
  // Until the supervisor has the listener nobody answers: what the engine calls before it must not wait for that. So
  // these fail in the kernel, and nobody hears of it; and so do those that the supervisor would make.
  static const std::vector<const char*> kUntold = {
      "brk",     "clock_gettime",  "close",
      "exit",    "exit_group",     "fcntl",
      "futex",   "getpid",         "gettid",
      "madvise", "mmap",           "mprotect",
      "mremap",  "munmap",         "poll",
      "prctl",   "read",           "restart_syscall",
      "rseq",    "rt_sigprocmask", "rt_sigreturn",
      "sendto",  "sendmsg",        "sendmmsg",
      "seccomp", "write",          "set_robust_list",
  };
  const auto among = [](const auto& names, const std::string& name) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
  };
  std::vector<ToldCall> told;
  for (const std::string& name : denied) {
    const int number = seccomp_syscall_resolve_name(name.c_str());
    if (number < 0 || among(kUntold, name) || among(kOnPaths, name) || among(brokered_calls(), name)) continue;
    told.push_back({name, number});
  }
  return told;
}

std::vector<sock_filter> compile_notify_filter(const std::vector<ToldCall>& told, std::string& problem) {
  FilterContext context(seccomp_init(SCMP_ACT_ALLOW), seccomp_release);
  if (!context) {
    problem = "seccomp_init failed";
    return {};
  }
  seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  FilterRules rules(context.get());
  for (const char* name : kOnPaths) rules.add(SCMP_ACT_NOTIFY, name);
  for (const char* name : brokered_calls()) rules.add(SCMP_ACT_NOTIFY, name);
  // What goes to the peer a socket has already is no decision; anything that names one is.
  rules.add(SCMP_ACT_NOTIFY, "sendto", scmp_arg_cmp{4, SCMP_CMP_NE, 0, 0});
  rules.add(SCMP_ACT_NOTIFY, "sendto", scmp_arg_cmp{3, SCMP_CMP_MASKED_EQ, kFastOpen, kFastOpen});
  rules.add(SCMP_ACT_NOTIFY, "sendmsg");
  rules.add(SCMP_ACT_ERRNO(ENOSYS), "sendmmsg");
  for (const ToldCall& call : told) rules.add(SCMP_ACT_NOTIFY, call.name.c_str());
  return export_filter(context.get(), rules, problem);
}

int enter_notify(const std::vector<sock_filter>& filter) {
  sock_fprog program = {static_cast<unsigned short>(filter.size()), const_cast<sock_filter*>(filter.data())};
  return static_cast<int>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, listener_flags(), &program));
}

}  // namespace pyisolate
