#pragma once

#include <chrono>
#include <vector>

#include "uv_lite.h"

namespace pyisolate {

class Cell;

// Waits for the answers of brisk exchanges without going to sleep: by the time that an event loop is asleep, a guest
// that is awake has answered, and waking the loop again takes longer than the answer did. Loop thread only.
class LookOut {
 public:
  using Clock = std::chrono::steady_clock;
  // What answers within this is worth to be waited for; the least that a whole sleep and wake-up takes, some times
  // over.
  static constexpr auto kMoment = std::chrono::microseconds(50);

  LookOut();   // throws std::bad_alloc
  ~LookOut();  // once the handle is closed
  LookOut(const LookOut&) = delete;
  LookOut& operator=(const LookOut&) = delete;

  void start(uv_loop_s* uv);
  // `cell`, which answered within a moment last time, was sent something. Once: until it answers, or a moment is over.
  void expect(Cell& cell);
  void forget(Cell& cell);
  void stop();
  uv_handle_s* handle() const { return reinterpret_cast<uv_handle_s*>(prepare_); }

 private:
  void run();
  bool look(Clock::time_point until);

  uv_prepare_s* prepare_;  // runs before the loop polls
  std::vector<Cell*> expected_;
};

}  // namespace pyisolate
