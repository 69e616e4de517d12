#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_set>

#include <sys/types.h>

namespace pyisolate {

// What the watchdog knows of one sandbox. All fields belong to the watchdog's mutex once it was added.
struct WatchTarget {
  using Clock = std::chrono::steady_clock;
  static constexpr Clock::time_point kNever = Clock::time_point::max();
  struct Deadline {
    Clock::time_point soft = kNever;
    Clock::time_point hard = kNever;
    std::string reason;
  };

  std::atomic<std::uint32_t>* interrupt = nullptr;  // the header's
  std::uint64_t broker_client = 0;                  // what it waits for in the broker is interrupted, too; 0: nothing
  WatchTarget* cell = nullptr;                      // for a sandbox of a shared cell: that cell
  int pidfd = -1;  // -1 until forked; of a shared cell's process for its sandboxes, too
  pid_t pid = 0;
  bool killed = false;
  std::string killed_by;  // the first reason

  std::array<Deadline, 3> deadlines;  // call, sandbox, and the engine's own: end()
  Clock::time_point end_at = kNever;  // shared cells: `end` was raised, the cell is killed at this time

  std::int64_t cpu_limit_ns = 0;  // 0: none
  std::int64_t cpu_seen_ns = 0;
  Clock::time_point cpu_check = kNever;
  Clock::duration cpu_idle{};  // how long to wait after a look that found nothing used
};

// The clock behind deadlines and CPU limits: one thread for the whole process, started when first needed, so
// that they hold while an event loop is blocked. Every kill and interrupt goes through here, because the
// first reason counts. Any thread; no call waits for longer than a pass over the targets.
class Watchdog {
 public:
  static Watchdog& instance();

  void add(WatchTarget& target);
  // Afterwards no signal is sent to it any more; call it before reaping.
  void remove(WatchTarget& target);
  void set_process(WatchTarget& target, int pidfd, pid_t pid);  // forked; delivers a kill that came first
  void set_broker_client(WatchTarget& target, std::uint64_t client);
  void set_deadline(WatchTarget& target, std::size_t slot, double soft_ms, double hard_ms, std::string reason);
  void set_cpu_limit(WatchTarget& target, double ms);
  void interrupt(WatchTarget& target, std::uint32_t mode);
  // A process at once; a sandbox of a shared cell is told to end, and if it doesn't its cell is killed.
  void kill(WatchTarget& target, const std::string& reason);
  // The reason it was killed for; false when it wasn't.
  bool killed_by(const WatchTarget& target, std::string& reason);

 private:
  using Clock = WatchTarget::Clock;
  Watchdog();
  void start_locked();
  void wake_by_locked(Clock::time_point when);
  void run();
  Clock::time_point check_locked(WatchTarget& target, Clock::time_point now);
  Clock::time_point check_cpu_locked(WatchTarget& target, Clock::time_point now);
  static void kill_locked(WatchTarget& target, const std::string& reason);
  static void interrupt_locked(WatchTarget& target, std::uint32_t mode);
  static void expire_locked(WatchTarget& target, const std::string& reason, Clock::time_point now);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_set<WatchTarget*> targets_;
  Clock::time_point wake_at_ = WatchTarget::kNever;
  bool started_ = false;
  unsigned processors_;
};

}  // namespace pyisolate
