#include "process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace pyisolate {
namespace {

// Reads the start of a file; empty text if it can't be.
template <std::size_t N>
const char* slurp(const char* path, char (&text)[N]) {
  text[0] = '\0';
  UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
  if (!fd) return text;
  const ssize_t got = ::read(fd.get(), text, N - 1);
  text[got > 0 ? got : 0] = '\0';
  return text;
}

double field(const char* text, const char* name) {
  const char* at = std::strstr(text, name);
  return at == nullptr ? 0 : std::strtod(at + std::strlen(name), nullptr);
}

// The kernel tells a pidfd's pid, in the reader's namespace, in its fdinfo.
pid_t pid_of(int pidfd) {
  char path[64];
  char text[512];
  std::snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
  return static_cast<pid_t>(field(slurp(path, text), "\nPid:"));
}

std::int64_t micros(const timeval& time) { return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_usec; }

int wait_pidfd(int pidfd, siginfo_t* info, int options, rusage* usage) {
  int rc;
  // The system call itself: the C library's waitid doesn't tell the resources used.
  do rc = static_cast<int>(::syscall(SYS_waitid, P_PIDFD, pidfd, info, options | WEXITED | __WALL, usage));
  while (rc != 0 && errno == EINTR);
  return rc;
}

}  // namespace

Process::Process(UniqueFd pidfd) : pidfd_(std::move(pidfd)) { pid_ = pid_of(pidfd_.get()); }

std::optional<ProcessExit> Process::try_reap() {
  siginfo_t info{};
  rusage usage{};
  if (wait_pidfd(pidfd_.get(), &info, WNOHANG, &usage) != 0) return ProcessExit{};  // reaped by somebody else
  if (info.si_pid == 0) return std::nullopt;
  ProcessExit exit;
  exit.code = info.si_code == CLD_EXITED ? info.si_status : -1;
  exit.signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
  exit.user_us = micros(usage.ru_utime);
  exit.system_us = micros(usage.ru_stime);
  exit.max_rss_kib = usage.ru_maxrss;
  return exit;
}

void Process::kill_and_reap() {
  if (!pidfd_) return;
  signal_process(pidfd_.get(), SIGKILL);
  siginfo_t info{};
  wait_pidfd(pidfd_.get(), &info, 0, nullptr);
  pidfd_.reset();
}

ProcessUsage Process::usage() const {
  ProcessUsage usage;
  if (!pidfd_ || pid_ <= 0) return usage;
  usage.cpu_ms = static_cast<double>(cpu_time_ns(pid_).value_or(0)) / 1e6;
  char path[64];
  char text[2048];
  // The roll-up may be refused (another uid, not dumpable); then statm's resident and shared pages must do.
  std::snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid_);
  slurp(path, text);
  usage.rss_kib = field(text, "\nRss:");
  usage.private_kib = field(text, "\nPrivate_Clean:") + field(text, "\nPrivate_Dirty:");
  if (usage.rss_kib > 0) return usage;
  std::snprintf(path, sizeof path, "/proc/%d/statm", pid_);
  char* next = nullptr;
  std::strtod(slurp(path, text), &next);
  const double resident = std::strtod(next, &next);
  const double shared = std::strtod(next, nullptr);
  const double page_kib = static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1024;
  usage.rss_kib = resident * page_kib;
  usage.private_kib = (resident - shared) * page_kib;
  return usage;
}

void signal_process(int pidfd, int signal) {
  if (pidfd >= 0) ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0);
}

UniqueFd open_pidfd(pid_t pid) { return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

std::optional<std::int64_t> cpu_time_ns(pid_t pid) {
  clockid_t clock;
  timespec now;
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &now) != 0) return std::nullopt;
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace pyisolate
