#include "confine/seccomp.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "confine/export_filter.h"
#include "confine/notify.h"

namespace pyisolate {
namespace {

// What CPython, its standard library and glibc need of a process that computes. Anything else fails
// with EPERM. By name: libseccomp numbers them for the architecture at hand and skips what it lacks.
constexpr const char* kAllowed[] = {
    // memory; mmap and mprotect have rules of their own
    "brk",
    "munmap",
    "mremap",
    "madvise",
    "mincore",
    "membarrier",
    "mlock",
    "munlock",
    // files to read: Landlock and the mount namespace say which. No call that changes a file by name:
    // Landlock doesn't rule on modes and times, and nothing may be written anyway
    "read",
    "pread64",
    "readv",
    "preadv",
    "preadv2",
    "write",
    "pwrite64",
    "writev",
    "pwritev",
    "pwritev2",
    "lseek",
    "open",
    "openat",
    "openat2",
    "close",
    "close_range",
    "stat",
    "fstat",
    "lstat",
    "newfstatat",
    "statx",
    "fstatfs",
    "statfs",
    "access",
    "faccessat",
    "faccessat2",
    "readlink",
    "readlinkat",
    "getdents",
    "getdents64",
    "getcwd",
    "chdir",
    "fchdir",
    "umask",
    "dup",
    "dup2",
    "dup3",
    "fsync",
    "fdatasync",
    "ftruncate",
    "fadvise64",
    "copy_file_range",
    "sendfile",
    "splice",
    "tee",
    // descriptors to wait on
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
    "pipe",
    "pipe2",
    "eventfd",
    "eventfd2",
    "timerfd_create",
    "timerfd_settime",
    "timerfd_gettime",
    // the only sockets there are: connected pairs; socketpair() has a rule of its own, bind(),
    // connect() and setsockopt() none (buffers could grow past the memory limit)
    "sendto",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "sendmmsg",
    "recvmmsg",
    "shutdown",
    "getsockname",
    "getpeername",
    "getsockopt",
    // threads and time; clone has a rule of its own
    "futex",
    "futex_waitv",
    "set_robust_list",
    "get_robust_list",
    "rseq",
    "set_tid_address",
    "gettid",
    "sched_yield",
    "sched_getaffinity",
    "sched_getparam",
    "sched_getscheduler",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "nanosleep",
    "clock_nanosleep",
    "clock_gettime",
    "clock_getres",
    "gettimeofday",
    "time",
    "times",
    "getcpu",
    "alarm",
    "setitimer",
    "getitimer",
    "timer_create",
    "timer_settime",
    "timer_gettime",
    "timer_getoverrun",
    "timer_delete",
    "pause",
    "restart_syscall",
    "exit",
    "exit_group",
    // signals of its own; tgkill, tkill and kill have rules of their own
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigpending",
    "rt_sigsuspend",
    "rt_sigtimedwait",
    "sigaltstack",
    // who and what am I
    "getpid",
    "getppid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getresuid",
    "getresgid",
    "getgroups",
    "getpgrp",
    "getpgid",
    "getsid",
    "uname",
    "sysinfo",
    "getrlimit",
    "getrusage",
    "getrandom",
    "getpriority",
    "capget",
    "arch_prctl",
    "wait4",
    "waitid",
};

constexpr auto masked(unsigned arg, std::uint64_t mask, std::uint64_t value) {
  return scmp_arg_cmp{arg, SCMP_CMP_MASKED_EQ, mask, value};
}
constexpr auto equal(unsigned arg, std::uint64_t value) { return scmp_arg_cmp{arg, SCMP_CMP_EQ, value, 0}; }

void memory_rules(FilterRules& rules) {
  // No executable memory that was ever writable, and none without a file behind it. Shared memory without
  // a file, and memory that grows like a stack, would escape RLIMIT_DATA.
  constexpr std::uint64_t kEscapes = MAP_GROWSDOWN;
  rules.allow("mmap", masked(2, PROT_EXEC, 0), masked(3, MAP_SHARED | MAP_ANONYMOUS | kEscapes, MAP_ANONYMOUS));
  rules.allow("mmap", masked(2, PROT_EXEC, 0), masked(3, MAP_ANONYMOUS | kEscapes, 0));
  rules.allow("mmap", masked(2, PROT_EXEC | PROT_WRITE, PROT_EXEC),
              masked(3, MAP_SHARED | MAP_ANONYMOUS | kEscapes, 0));
  rules.allow("mprotect", masked(2, PROT_EXEC, 0));
}

void task_rules(FilterRules& rules, bool own_namespace) {
  // A thread shares everything with its process; CLONE_THREAD without the rest is refused by the kernel.
  constexpr std::uint64_t kNew = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                 CLONE_NEWPID | CLONE_NEWNET | CLONE_PTRACE;
  rules.allow("clone",
              masked(0, CLONE_THREAD | CLONE_VM | CLONE_SIGHAND | kNew, CLONE_THREAD | CLONE_VM | CLONE_SIGHAND));
  rules.add(SCMP_ACT_ERRNO(ENOSYS), "clone3");  // its flags are behind a pointer; glibc falls back to clone
  if (own_namespace) {
    rules.allow("tgkill", equal(0, 1));
    rules.allow("kill", equal(0, 1));
  }
  rules.allow("prctl", equal(0, PR_SET_NAME));
  rules.allow("prctl", equal(0, PR_GET_NAME));
  rules.allow("prctl", equal(0, PR_GET_DUMPABLE));
  rules.allow("prlimit64", equal(0, 0));  // itself only; hard limits are set, so only downwards
  rules.allow("setrlimit");
}

void descriptor_rules(FilterRules& rules) {
  for (const int command : {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW}) {
    rules.allow("fcntl", equal(1, command));
  }
  for (const unsigned long request : {FIONBIO, FIOCLEX, FIONCLEX, FIONREAD, TCGETS, TIOCGWINSZ}) {
    rules.allow("ioctl", equal(1, request));
  }
  // A pair of connected sockets reaches nobody else (asyncio wakes its loop with one). Not datagrams: those
  // can be sent to any address, and Landlock doesn't rule on sockets that have a path.
  constexpr std::uint64_t kKind = 0xf;
  rules.allow("socketpair", equal(0, AF_UNIX), masked(1, kKind, SOCK_STREAM));
  rules.allow("socketpair", equal(0, AF_UNIX), masked(1, kKind, SOCK_SEQPACKET));
  rules.add(SCMP_ACT_ERRNO(ENOSYS), "io_uring_setup");
}

// The broker makes the sockets of these cells, in a network that isn't theirs: no option may lead a packet elsewhere
// than where its address says (source routes), load code, or let buffers grow past the memory limit.
void brokered_rules(FilterRules& rules) {
  for (const char* name : brokered_calls()) {
    if (std::strcmp(name, "socket") != 0) rules.allow(name);
  }
  // Other families would reach the kernel in a thread without a listener: the main one of a shared cell, taken over.
  for (const int family : {AF_UNIX, AF_INET, AF_INET6}) rules.allow("socket", equal(0, family));
  rules.allow("accept");
  rules.allow("accept4");
  // What has a listener gets no second one (EBUSY), and every guest thread has one: it is for new sandboxes of a cell.
  rules.allow("seccomp", equal(0, SECCOMP_SET_MODE_FILTER), equal(1, listener_flags()));
  constexpr std::pair<int, int> kOptions[] = {
      {SOL_SOCKET, SO_REUSEADDR},  {SOL_SOCKET, SO_REUSEPORT},   {SOL_SOCKET, SO_KEEPALIVE},
      {SOL_SOCKET, SO_LINGER},     {SOL_SOCKET, SO_OOBINLINE},   {SOL_SOCKET, SO_BROADCAST},
      {SOL_SOCKET, SO_RCVTIMEO},   {SOL_SOCKET, SO_SNDTIMEO},    {IPPROTO_TCP, TCP_NODELAY},
      {IPPROTO_TCP, TCP_CORK},     {IPPROTO_TCP, TCP_KEEPIDLE},  {IPPROTO_TCP, TCP_KEEPINTVL},
      {IPPROTO_TCP, TCP_KEEPCNT},  {IPPROTO_TCP, TCP_QUICKACK},  {IPPROTO_TCP, TCP_USER_TIMEOUT},
      {IPPROTO_TCP, TCP_SYNCNT},   {IPPROTO_TCP, TCP_MAXSEG},    {IPPROTO_TCP, TCP_DEFER_ACCEPT},
      {IPPROTO_IP, IP_TOS},        {IPPROTO_IP, IP_TTL},         {IPPROTO_IP, IP_MTU_DISCOVER},
      {IPPROTO_IPV6, IPV6_V6ONLY}, {IPPROTO_IPV6, IPV6_TCLASS},  {IPPROTO_IPV6, IPV6_UNICAST_HOPS},
      {IPPROTO_IP, IP_RECVERR},    {IPPROTO_IPV6, IPV6_RECVERR},
  };
  for (const auto& [level, option] : kOptions) rules.allow("setsockopt", equal(1, level), equal(2, option));
}

}  // namespace

Profile without_told(Profile profile, const std::vector<ToldCall>& told) {
  for (const ToldCall& call : told) std::erase(profile.deny, call.name);
  return profile;
}

std::vector<sock_filter> compile_filter(const Profile& profile, const std::vector<ToldCall>& told,
                                        std::string& problem) {
  FilterContext context(seccomp_init(SCMP_ACT_ERRNO(EPERM)), seccomp_release);
  if (!context) {
    problem = "seccomp_init failed";
    return {};
  }
  // 32-bit and x32 calls have other numbers: no honest guest makes one.
  seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a binary tree, not a list
  FilterRules rules(context.get(), profile.deny);
  for (const char* name : kAllowed) rules.allow(name);
  for (const std::string& name : profile.allow) rules.allow(name.c_str());
  memory_rules(rules);
  task_rules(rules, profile.own_namespace);
  descriptor_rules(rules);
  if (profile.brokered) {
    brokered_rules(rules);
  } else {
    rules.add(SCMP_ACT_ERRNO(EACCES), "socket");
  }
  FilterRules telling(context.get());  // no rule above is about them: they are denied
  for (const ToldCall& call : told) telling.add(SCMP_ACT_NOTIFY, call.name.c_str());
  if (telling.error() != 0) return export_filter(context.get(), telling, problem);
  return export_filter(context.get(), rules, problem);
}

void enter_seccomp(const std::vector<sock_filter>& filter, const std::string& problem, Report& report) {
  if (filter.empty()) {
    report.missing("seccomp", true, problem, EINVAL);
    return;
  }
  sock_fprog program = {static_cast<unsigned short>(filter.size()), const_cast<sock_filter*>(filter.data())};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
    report.missing("seccomp", true, "install the filter", errno);
    return;
  }
  report.active("seccomp", true,
                "an allow-list of " + std::to_string(std::size(kAllowed)) + " calls and argument rules, " +
                    std::to_string(filter.size()) + " instructions");
}

}  // namespace pyisolate
