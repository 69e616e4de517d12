// Byte rings over a segment: plain memory operations, no waiting and no system calls. Whoever waits
// (libuv's loop in the supervisor, a futex in the cell) is built on top of these.
#pragma once

#include <algorithm>
#include <cstring>

#include "segment.h"

namespace pyisolate {

// The other side moved a position to where no honest peer can have moved it.
enum class RingStatus { ok, corrupt };

class RingView {
 public:
  RingView() = default;
  RingView(RingState* state, std::uint8_t* data, std::uint32_t bytes) : state_(state), data_(data), bytes_(bytes) {}

  RingState& state() const { return *state_; }
  std::uint32_t capacity() const { return bytes_; }

 protected:
  // Copies across the wrap; `position` is free-running.
  void copy_in(std::uint64_t position, const std::uint8_t* from, std::size_t count) const {
    const std::size_t at = position & (bytes_ - 1);
    const std::size_t first = std::min<std::size_t>(count, bytes_ - at);
    std::memcpy(data_ + at, from, first);
    std::memcpy(data_, from + first, count - first);
  }
  void copy_out(std::uint64_t position, std::uint8_t* to, std::size_t count) const {
    const std::size_t at = position & (bytes_ - 1);
    const std::size_t first = std::min<std::size_t>(count, bytes_ - at);
    std::memcpy(to, data_ + at, first);
    std::memcpy(to + first, data_, count - first);
  }

  RingState* state_ = nullptr;
  std::uint8_t* data_ = nullptr;
  std::uint32_t bytes_ = 0;
};

// The producing end. Its own position is kept privately: the shared copy is only published, never
// read back, so a peer that scribbles on it fools nobody but itself.
class RingWriter : public RingView {
 public:
  using RingView::RingView;

  // Writes what fits of `from` and returns how much that was; publishes it at once.
  std::size_t write(const std::uint8_t* from, std::size_t count, RingStatus& status) {
    const std::uint64_t read = state_->read.load(std::memory_order_acquire);
    const std::uint64_t used = position_ - read;
    if (used > bytes_) {
      status = RingStatus::corrupt;
      return 0;
    }
    const std::size_t fits = std::min<std::size_t>(count, bytes_ - used);
    if (fits == 0) return 0;
    copy_in(position_, from, fits);
    position_ += fits;
    state_->written.store(position_, std::memory_order_release);
    return fits;
  }

  // Free bytes now; 0 as well when the peer's position makes no sense (write() then says so).
  std::size_t space() const {
    const std::uint64_t used = position_ - state_->read.load(std::memory_order_acquire);
    return used > bytes_ ? 0 : bytes_ - used;
  }

 private:
  std::uint64_t position_ = 0;
};

// The consuming end; the same rule for its own position.
class RingReader : public RingView {
 public:
  using RingView::RingView;

  // Bytes waiting. Sets `status` when the peer claims more than a ring can hold.
  std::size_t waiting(RingStatus& status) const {
    const std::uint64_t used = state_->written.load(std::memory_order_acquire) - position_;
    if (used > bytes_) {
      status = RingStatus::corrupt;
      return 0;
    }
    return used;
  }

  // Copies up to `count` bytes out and frees their space at once.
  std::size_t read(std::uint8_t* to, std::size_t count, RingStatus& status) {
    const std::size_t take = std::min(count, waiting(status));
    if (take == 0) return 0;
    copy_out(position_, to, take);
    position_ += take;
    state_->read.store(position_, std::memory_order_release);
    return take;
  }

 private:
  std::uint64_t position_ = 0;
};

// Before sleeping, a side sets its flag and looks once more; after publishing, the other side tests
// it. Both need a full fence between their store and their load (Dekker), or a wake-up can be lost.
inline void announce_sleep(std::atomic<std::uint32_t>& flag) {
  flag.store(1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

// Returns true when the peer sleeps and is to be woken; clears its flag, so it is woken once.
inline bool take_sleeper(std::atomic<std::uint32_t>& flag) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return flag.load(std::memory_order_relaxed) != 0 && flag.exchange(0, std::memory_order_relaxed) != 0;
}

}  // namespace pyisolate
