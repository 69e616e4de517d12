// The half of a FrameChannel that writes: what is held back, what is queued, and what is in the ring.
#include "frame_channel.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace pyisolate {
namespace {

// A queued frame's buffer is extended up to this size rather than starting another one.
constexpr std::size_t kQueueChunk = 64 * 1024;

std::vector<std::uint8_t> joined(const FrameHeader& header, seal::Bytes payload) {
  const auto* head = reinterpret_cast<const std::uint8_t*>(&header);
  std::vector<std::uint8_t> frame(head, head + sizeof header);
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

}  // namespace

void FrameChannel::send(std::uint8_t type, std::uint64_t id, const std::uint8_t* payload, std::uint32_t length) {
  if (corruption_ != nullptr) return;
  FrameHeader header{};
  header.length = length;
  header.type = type;
  header.id = id;
  const seal::Bytes bytes(payload, length);
  if (static_cast<FrameType>(type) != FrameType::message) return transmit(header, bytes);
  const auto cost = message_cost(length);
  if (held_.empty() && may_send(cost)) {
    messages_sent_ += cost;
    return transmit(header, bytes);
  }
  if (corruption_ != nullptr) return;
  held_.push_back(joined(header, bytes));
  held_bytes_ += held_.back().size();
  if (held_.size() == 1) release_messages();
}

// Whether the guest has taken enough for a message of that cost to be sent.
bool FrameChannel::may_send(std::uint64_t cost) {
  const std::uint64_t taken = segment_.header().messages_taken.load();
  if (taken > messages_sent_) corruption_ = "more messages taken than were sent";
  if (corruption_ != nullptr) return false;
  const std::uint64_t ahead = messages_sent_ - taken;
  return ahead == 0 || ahead + cost <= message_window(writer_.capacity());
}

// Sends what may be sent of the messages that are held; the cell will ring when more of them may be.
void FrameChannel::release_messages() {
  const std::uint64_t window = message_window(writer_.capacity());
  bool announced = false;
  while (!held_.empty() && corruption_ == nullptr) {
    const auto& frame = held_.front();
    FrameHeader header;
    std::memcpy(&header, frame.data(), sizeof header);
    const std::uint64_t cost = message_cost(header.length);
    if (!may_send(cost)) {
      if (announced || corruption_ != nullptr) break;
      // Not for each that is taken: when half of them are, or as many as the next one needs.
      const std::uint64_t room = std::min(window / 2, window - std::min(window, cost));
      segment_.header().messages_wanted.store(messages_sent_ - std::min(room, messages_sent_ - 1));
      announced = true;
      continue;
    }
    messages_sent_ += cost;
    transmit(header, seal::Bytes(frame).subspan(sizeof header));
    held_bytes_ -= frame.size();
    held_.pop_front();
    announced = false;
  }
}

void FrameChannel::transmit(const FrameHeader& header, seal::Bytes payload) {
  if (greeting_) {
    unsealed_.push_back(joined(header, payload));
    unsealed_bytes_ += unsealed_.back().size();
    return;
  }
  const bool was_queued = queued_ > 0;
  write_frame(header, payload);
  // With bytes already queued the cell has been told to ring.
  if (queued_ > 0 && !was_queued)
    flush_queue();
  else
    wake_reader();
}

void FrameChannel::write_frame(const FrameHeader& header, seal::Bytes payload) {
  seal::Bytes first(reinterpret_cast<const std::uint8_t*>(&header), sizeof header);
  if (!sealer_) {
    put(first.data(), first.size());
    return put(payload.data(), payload.size());
  }
  try {
    do {
      const auto part = payload.first(std::min(payload.size(), sealer_->longest() - first.size()));
      const auto record = sealer_->seal(first, part);
      put(record.data(), record.size());
      payload = payload.subspan(part.size());
      first = {};
    } while (!payload.empty());
  } catch (const seal::KeyRestored&) {
    corruption_ = "the memory of a key was brought back to an earlier time";
  } catch (const seal::CryptoFailure&) {
    corruption_ = "libcrypto failed";
  }
}

void FrameChannel::put(const std::uint8_t* from, std::size_t count) {
  if (queued_ == 0) {
    RingStatus status = RingStatus::ok;
    const std::size_t written = writer_.write(from, count, status);
    if (status == RingStatus::corrupt) {
      corruption_ = "impossible read position";
      return;
    }
    untold_ = untold_ || written > 0;
    from += written;
    count -= written;
  }
  if (count == 0) return;
  if (queue_.empty() || queue_.back().size() + count > kQueueChunk) queue_.emplace_back();
  queue_.back().insert(queue_.back().end(), from, from + count);
  queued_ += count;
}

void FrameChannel::flush() {
  release_messages();
  flush_queue();
}

void FrameChannel::flush_queue() {
  bool announced = false;
  while (queued_ > 0 && corruption_ == nullptr) {
    auto& chunk = queue_.front();
    RingStatus status = RingStatus::ok;
    const std::size_t written = writer_.write(chunk.data() + queue_offset_, chunk.size() - queue_offset_, status);
    if (status == RingStatus::corrupt) corruption_ = "impossible read position";
    if (written == 0) {
      if (announced) break;
      announce_sleep(writer_.state().writer_sleeps);
      announced = true;
      continue;
    }
    untold_ = true;
    queue_offset_ += written;
    queued_ -= written;
    if (queue_offset_ == chunk.size()) {
      queue_.pop_front();
      queue_offset_ = 0;
    }
  }
  wake_reader();
}

// Only when there is something to read: an idle cell always sleeps, and would be woken by each look at its ring.
void FrameChannel::wake_reader() {
  if (std::exchange(untold_, false) && take_sleeper(writer_.state().reader_sleeps)) ring_cell();
}

}  // namespace pyisolate
