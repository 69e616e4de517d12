#include "watchdog.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "../shared/segment.h"
#include "broker/broker.h"
#include "process.h"
#include "system_failure.h"

namespace pyisolate {
namespace {

using namespace std::chrono_literals;
using Clock = WatchTarget::Clock;

constexpr auto kEndGrace = 100ms;  // for a sandbox of a shared cell to obey `end`
constexpr auto kShortestCpuLook = 2ms;
constexpr auto kLongestIdleLook = 100ms;  // bounds what an idle sandbox near its limit can overrun

Clock::time_point after(Clock::time_point now, double ms) {
  // Beyond a year is never: larger numbers don't fit the clock.
  if (!(ms < 3.2e10)) return WatchTarget::kNever;
  return now +
         std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double, std::milli>(std::max(ms, 0.0)));
}

}  // namespace

Watchdog& Watchdog::instance() {
  static auto* const watchdog = new Watchdog;  // its thread may outlive static destructors
  return *watchdog;
}

Watchdog::Watchdog() : processors_(std::max(1u, std::thread::hardware_concurrency())) {}

void Watchdog::start_locked() {
  if (started_) return;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread([this] { run(); }).detach();
    started_ = true;
  } catch (const std::exception&) {
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!started_) throw SystemFailure("pthread_create", EAGAIN);
}

void Watchdog::add(WatchTarget& target) {
  std::lock_guard lock(mutex_);
  targets_.insert(&target);
}

void Watchdog::remove(WatchTarget& target) {
  std::lock_guard lock(mutex_);
  targets_.erase(&target);
  target.pidfd = -1;
  target.cell = nullptr;
}

void Watchdog::set_process(WatchTarget& target, int pidfd, pid_t pid) {
  std::lock_guard lock(mutex_);
  target.pidfd = pidfd;
  target.pid = pid;
  if (target.killed) signal_process(pidfd, SIGKILL);
  if (target.cpu_limit_ns > 0) {
    target.cpu_check = Clock::now();
    wake_by_locked(target.cpu_check);
  }
}

void Watchdog::set_broker_client(WatchTarget& target, std::uint64_t client) {
  std::lock_guard lock(mutex_);
  target.broker_client = client;
}

void Watchdog::set_deadline(WatchTarget& target, std::size_t slot, double soft_ms, double hard_ms, std::string reason) {
  std::lock_guard lock(mutex_);
  if (targets_.count(&target) == 0) return;
  const auto now = Clock::now();
  auto& deadline = target.deadlines.at(slot);
  deadline = {after(now, soft_ms), after(now, hard_ms), std::move(reason)};
  wake_by_locked(std::min(deadline.soft, deadline.hard));
}

void Watchdog::set_cpu_limit(WatchTarget& target, double ms) {
  std::lock_guard lock(mutex_);
  if (targets_.count(&target) == 0) return;
  target.cpu_limit_ns = ms < 9e12 ? static_cast<std::int64_t>(std::ceil(std::max(ms, 1.0) * 1e6)) : 0;
  target.cpu_check = target.cpu_limit_ns > 0 && target.pidfd >= 0 ? Clock::now() : WatchTarget::kNever;
  wake_by_locked(target.cpu_check);
}

void Watchdog::interrupt(WatchTarget& target, std::uint32_t mode) {
  std::lock_guard lock(mutex_);
  if (targets_.count(&target) != 0) interrupt_locked(target, mode);
}

void Watchdog::kill(WatchTarget& target, const std::string& reason) {
  std::lock_guard lock(mutex_);
  if (targets_.count(&target) == 0) return;
  expire_locked(target, reason, Clock::now());
  wake_by_locked(target.end_at);
}

bool Watchdog::killed_by(const WatchTarget& target, std::string& reason) {
  std::lock_guard lock(mutex_);
  reason = target.killed_by;
  return target.killed;
}

void Watchdog::kill_locked(WatchTarget& target, const std::string& reason) {
  if (!target.killed) target.killed_by = reason;
  target.killed = true;
  if (target.cell != nullptr) return kill_locked(*target.cell, reason);
  signal_process(target.pidfd, SIGKILL);
}

void Watchdog::interrupt_locked(WatchTarget& target, std::uint32_t mode) {
  target.interrupt->store(mode, std::memory_order_release);
  signal_process(target.cell != nullptr ? target.cell->pidfd : target.pidfd, SIGINT);
  // A call that the broker holds ends for fatal signals only.
  if (target.broker_client != 0) broker::Broker::instance().interrupt(target.broker_client);
}

// A process is killed; a sandbox of a shared cell is told to end first, for the sake of its neighbours.
void Watchdog::expire_locked(WatchTarget& target, const std::string& reason, Clock::time_point now) {
  if (target.cell == nullptr) return kill_locked(target, reason);
  if (!target.killed) target.killed_by = reason;
  target.killed = true;
  interrupt_locked(target, static_cast<std::uint32_t>(Interrupt::end));
  target.end_at = std::min(target.end_at, now + kEndGrace);
}

Clock::time_point Watchdog::check_cpu_locked(WatchTarget& target, Clock::time_point now) {
  if (target.cpu_check > now) return target.cpu_check;
  const auto used = cpu_time_ns(target.pid);
  if (!used) return target.cpu_check = WatchTarget::kNever;
  if (*used >= target.cpu_limit_ns) {
    kill_locked(target, "cpu");
    return target.cpu_check = WatchTarget::kNever;
  }
  // All processors together can't use up the rest any sooner.
  const auto soonest = std::max<Clock::duration>(std::chrono::nanoseconds((target.cpu_limit_ns - *used) / processors_),
                                                 kShortestCpuLook);
  target.cpu_idle = *used == target.cpu_seen_ns
                        ? std::min<Clock::duration>(std::max<Clock::duration>(2 * target.cpu_idle, kShortestCpuLook),
                                                    kLongestIdleLook)
                        : Clock::duration{};
  target.cpu_seen_ns = *used;
  return target.cpu_check = now + std::max(soonest, target.cpu_idle);
}

Clock::time_point Watchdog::check_locked(WatchTarget& target, Clock::time_point now) {
  auto next = WatchTarget::kNever;
  for (auto& deadline : target.deadlines) {
    if (deadline.soft <= now) {
      deadline.soft = WatchTarget::kNever;
      interrupt_locked(target, static_cast<std::uint32_t>(Interrupt::raise));
    }
    if (deadline.hard <= now) {
      deadline.hard = WatchTarget::kNever;
      expire_locked(target, deadline.reason, now);
    }
    next = std::min({next, deadline.soft, deadline.hard});
  }
  if (target.end_at <= now) {
    target.end_at = WatchTarget::kNever;
    kill_locked(target, target.killed_by);
  }
  next = std::min(next, target.end_at);
  return target.cpu_limit_ns > 0 && target.pidfd >= 0 ? std::min(next, check_cpu_locked(target, now)) : next;
}

// Deadlines are mostly cleared before they strike, so the thread isn't told when one goes: it wakes at the
// old time, finds nothing due and works out the next.
void Watchdog::wake_by_locked(Clock::time_point when) {
  if (when == WatchTarget::kNever) return;
  start_locked();
  if (when >= wake_at_) return;
  wake_at_ = when;
  changed_.notify_one();
}

void Watchdog::run() {
  pthread_setname_np(pthread_self(), "pyisolate-watch");
  std::unique_lock lock(mutex_);
  for (;;) {
    if (wake_at_ == WatchTarget::kNever)
      changed_.wait(lock);
    else
      changed_.wait_until(lock, wake_at_);
    const auto now = Clock::now();
    if (now < wake_at_) continue;
    auto next = WatchTarget::kNever;
    for (auto* target : targets_) next = std::min(next, check_locked(*target, now));
    wake_at_ = next;
  }
}

}  // namespace pyisolate
