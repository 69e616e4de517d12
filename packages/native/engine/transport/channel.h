// The cell's end of a segment: whole frames out and in, blocking on futex and eventfd. No Python here.
//
// Threads: write() may be called by any thread (frames don't mix); read() by one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "seal/records.h"

namespace pyisolate {

struct Frame {
  FrameType type;
  std::uint64_t id;
  std::vector<std::uint8_t> payload;
};

using Clock = std::chrono::steady_clock;
using Deadline = std::optional<Clock::time_point>;

class Channel {
 public:
  // Maps `segment` (a memfd made by the supervisor) and keeps `bell` (its eventfd). Throws std::system_error.
  Channel(int segment, int bell);
  ~Channel();
  // Answers the supervisor's hello, which came with the segment, and rings `bell`; before anything else is read or
  // written, and before any guest runs. `keys`: made ahead, or made now. Throws std::system_error, seal::CryptoFailure.
  void greet(int bell, std::optional<seal::KeyPair> keys);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Blocks while the ring is full. A frame that fits the ring is written whole or not at all: when
  // `interrupted` answers true while there is no room yet, write() gives up and returns false.
  bool write(FrameType type, std::uint64_t id, std::span<const std::uint8_t> payload,
             const std::function<bool()>& interrupted = nullptr);

  // As write(), but gives up rather than wait: for room, or for a thread that is writing.
  bool try_write(FrameType type, std::uint64_t id, std::span<const std::uint8_t> payload);

  // As write(), but while a request waits to be read the supervisor isn't woken for this: the answer will do it.
  void write_ahead(FrameType type, std::span<const std::uint8_t> payload);

  // The next whole frame; nothing when `until` has passed or wake() was called.
  std::optional<Frame> read(const Deadline& until);

  // Makes a read() or write() that sleeps look again. Async-signal-safe.
  void wake();

  // Counts a refusal for the supervisor, which is woken for it once a second; counts that come in between it sees when
  // it wakes next. Takes no memory and no lock, waits for nothing, keeps errno.
  void count_refusal(Refused what) noexcept;

  // Hands a seccomp listener to the supervisor: returns when that has a copy of it, and closes this one.
  void offer_listener(int listener);

  // The guest has taken a message of `bytes`: the supervisor may send more. By one thread at a time.
  void took_message(std::size_t bytes);

  SegmentHeader& header() { return *header_; }
  std::size_t ring_bytes() const { return writer_.capacity(); }
  std::uint64_t bytes_in() const { return bytes_in_; }

 private:
  enum class Part { none, whole };
  Part assemble();
  void write_locked(const FrameHeader& head, std::span<const std::uint8_t> payload);
  // Ends the process when nothing can be sealed any more.
  std::span<const std::uint8_t> seal(std::span<const std::uint8_t> head, std::span<const std::uint8_t> rest);
  // What a frame takes in the ring.
  std::size_t ring_space(std::size_t bytes) const;
  void put(std::span<const std::uint8_t> bytes);
  std::size_t pull(std::uint8_t* to, std::size_t want);
  void sleep(std::uint32_t seen, const Deadline& until);
  // Watches the ring for a moment. True when there is something, or the bell rang.
  bool look_out(std::uint32_t seen);
  void ring_bell();
  // `tell`: unless it is the ring to the supervisor, which is in the midst of a write.
  [[noreturn]] void corrupt(const char* what, bool tell);

  SegmentHeader* header_ = nullptr;
  std::size_t mapped_ = 0;
  int bell_ = -1;
  RingReader reader_;
  RingWriter writer_;
  std::optional<seal::Sealer> sealer_;  // both, or neither where nothing is sealed
  std::optional<seal::Opener> opener_;
  std::mutex write_lock_;
  bool quiet_ = false;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t messages_taken_ = 0;  // as in the header, which anybody can write to
  std::atomic<std::int64_t> told_refusal_ns_[kRefusedKinds] = {};
  bool may_yield_ = true;
  bool brisk_ = false;  // what read() last waited for came within a moment

  FrameHeader head_{};
  std::size_t head_read_ = 0;
  std::vector<std::uint8_t> payload_;
  std::size_t payload_read_ = 0;
};

}  // namespace pyisolate
