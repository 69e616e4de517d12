#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "unique_fd.h"

namespace pyisolate {

struct ProcessExit {
  int code = -1;   // -1 when a signal ended it
  int signal = 0;  // 0 when it exited
  std::int64_t user_us = 0;
  std::int64_t system_us = 0;
  std::int64_t max_rss_kib = 0;
};

struct ProcessUsage {
  double cpu_ms = 0;
  double rss_kib = 0;
  double private_kib = 0;
};

// A child of ours, addressed by its pidfd only, so that a recycled pid is never hit.
class Process {
 public:
  Process() = default;
  // Its pid is found by the pidfd: 0 when that takes a descriptor and none is left.
  explicit Process(UniqueFd pidfd);
  Process(UniqueFd pidfd, pid_t pid) : pidfd_(std::move(pidfd)), pid_(pid) {}

  int pidfd() const { return pidfd_.get(); }
  pid_t pid() const { return pid_; }
  explicit operator bool() const { return static_cast<bool>(pidfd_); }

  // Reaps it if it has ended.
  std::optional<ProcessExit> try_reap();
  // Kills it and waits until it is reaped: for an environment that goes away.
  void kill_and_reap();
  ProcessUsage usage() const;
  UniqueFd release_pidfd() { return std::move(pidfd_); }

 private:
  UniqueFd pidfd_;
  pid_t pid_ = 0;  // as our pid namespace numbers it
};

// Both ignore a process that is gone.
void signal_process(int pidfd, int signal);
UniqueFd open_pidfd(pid_t pid);
// CPU time used so far by all its threads; nullopt when it is gone.
std::optional<std::int64_t> cpu_time_ns(pid_t pid);

}  // namespace pyisolate
