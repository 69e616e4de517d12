#include "events.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>

namespace pyisolate::broker {
namespace {
// Whoever logs everything reads it, too: more than this waits for nobody.
constexpr std::size_t kMostWaiting = 1 << 16;
}  // namespace

void Events::put(Event event, bool all) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const auto second = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  {
    std::lock_guard guard(lock_);
    Rate& rate = rates_[event.client];
    if (rate.second != second) rate.second = second, rate.count = 0;
    if (waiting_.size() >= kMostWaiting || (!all && ++rate.count > kPerSecond)) {
      ++rate.lost;
      return;
    }
    event.lost += rate.lost;
    rate.lost = 0;
    waiting_.push_back(std::move(event));
    any_.store(true, std::memory_order_release);
    if (waiting_.size() > 1) return;  // rung already
  }
  const std::uint64_t one = 1;
  (void)!::write(bell_.get(), &one, sizeof one);
}

std::vector<Event> Events::take() {
  std::uint64_t rung;
  (void)!::read(bell_.get(), &rung, sizeof rung);
  std::lock_guard guard(lock_);
  any_.store(false, std::memory_order_relaxed);
  return std::exchange(waiting_, {});
}

std::vector<Event> Events::take(std::uint64_t client) {
  std::vector<Event> own;
  if (!any_.load(std::memory_order_acquire)) return own;
  std::lock_guard guard(lock_);
  const auto others = std::stable_partition(waiting_.begin(), waiting_.end(),
                                            [client](const Event& event) { return event.client == client; });
  own.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(others));
  waiting_.erase(waiting_.begin(), others);
  any_.store(!waiting_.empty(), std::memory_order_relaxed);
  return own;
}

void Events::forget(std::uint64_t client) {
  std::lock_guard guard(lock_);
  rates_.erase(client);
}

}  // namespace pyisolate::broker
