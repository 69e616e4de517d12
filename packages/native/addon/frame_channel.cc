#include "frame_channel.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include <climits>

namespace pyisolate {
namespace {

// One turn of the event loop per sandbox: enough to amortise the wake-up, little enough to stay fair.
constexpr int kFramesPerTurn = 64;
constexpr std::size_t kBytesPerTurn = 1 << 20;
// A queued frame's buffer is extended up to this size rather than starting another one.
constexpr std::size_t kQueueChunk = 64 * 1024;

bool from_cell(std::uint8_t type) {
  switch (static_cast<FrameType>(type)) {
    case FrameType::ready:
    case FrameType::result:
    case FrameType::error:
    case FrameType::post:
    case FrameType::out:
    case FrameType::err:
    case FrameType::host_call:
    case FrameType::exit: return true;
    default: return false;
  }
}

}  // namespace

void FrameChannel::send(std::uint8_t type, std::uint64_t id, const std::uint8_t* payload, std::uint32_t length) {
  if (corruption_ != nullptr) return;
  FrameHeader header{};
  header.length = length;
  header.type = type;
  header.id = id;
  const bool was_queued = queued_ > 0;
  put(reinterpret_cast<const std::uint8_t*>(&header), sizeof header);
  put(payload, length);
  // With bytes already queued the cell has been told to ring.
  if (queued_ > 0 && !was_queued)
    flush();
  else
    wake_reader();
}

void FrameChannel::put(const std::uint8_t* from, std::size_t count) {
  if (queued_ == 0) {
    RingStatus status = RingStatus::ok;
    const std::size_t written = writer_.write(from, count, status);
    if (status == RingStatus::corrupt) {
      corruption_ = "impossible read position";
      return;
    }
    from += written;
    count -= written;
  }
  if (count == 0) return;
  if (queue_.empty() || queue_.back().size() + count > kQueueChunk) queue_.emplace_back();
  queue_.back().insert(queue_.back().end(), from, from + count);
  queued_ += count;
}

void FrameChannel::flush() {
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
    queue_offset_ += written;
    queued_ -= written;
    if (queue_offset_ == chunk.size()) {
      queue_.pop_front();
      queue_offset_ = 0;
    }
  }
  wake_reader();
}

FrameChannel::Drain FrameChannel::drain(FrameSink& sink) {
  int frames = 0;
  std::size_t bytes = 0;
  std::size_t unwoken = 0;
  bool announced = false;
  for (;;) {
    const bool ready = (in_frame_ || start_frame()) && collect_body();
    if (corruption_ != nullptr) return Drain::corrupt;
    if (!ready) {
      wake_writer();
      if (announced) return Drain::empty;
      // Look once more after the announcement: bytes may have come in between.
      announce_sleep(reader_.state().reader_sleeps);
      announced = true;
      continue;
    }
    if (announced) {  // not going to sleep after all: spare the cell a system call
      reader_.state().reader_sleeps.store(0, std::memory_order_relaxed);
      announced = false;
    }
    const std::size_t size = sizeof(FrameHeader) + frame_.length;
    bool stop = false;
    if (!finish_frame(sink, stop)) return corruption_ != nullptr ? Drain::corrupt : Drain::stopped;
    bytes += size;
    unwoken += size;
    // Early enough to let a blocked writer work while the frames before it are handled.
    if (unwoken >= reader_.capacity() / 2) {
      wake_writer();
      unwoken = 0;
    }
    if (stop || ++frames == kFramesPerTurn || bytes >= kBytesPerTurn) {
      wake_writer();
      return stop ? Drain::stopped : Drain::budget;
    }
  }
}

std::size_t FrameChannel::waiting() {
  RingStatus status = RingStatus::ok;
  const std::size_t count = reader_.waiting(status);
  if (status == RingStatus::corrupt) corruption_ = "impossible write position";
  return count;
}

bool FrameChannel::read_exact(std::uint8_t* to, std::size_t count) {
  while (count > 0) {
    RingStatus status = RingStatus::ok;
    const std::size_t taken = reader_.read(to, count, status);
    if (status == RingStatus::corrupt || taken == 0) {
      corruption_ = "impossible write position";  // they were there a moment ago
      return false;
    }
    to += taken;
    count -= taken;
  }
  return true;
}

bool FrameChannel::start_frame() {
  if (waiting() < sizeof frame_) return false;
  if (!read_exact(reinterpret_cast<std::uint8_t*>(&frame_), sizeof frame_)) return false;
  if (!from_cell(frame_.type))
    corruption_ = "unknown frame type";
  else if (frame_.reserved[0] != 0 || frame_.reserved[1] != 0 || frame_.reserved[2] != 0)
    corruption_ = "reserved header bytes are set";
  else if (frame_.length > max_frame_)
    corruption_ = "frame longer than allowed";
  in_frame_ = corruption_ == nullptr;
  return in_frame_;
}

// True when the whole payload is in the ring or, for one that came in pieces, in body_.
bool FrameChannel::collect_body() {
  const std::size_t here = waiting();
  if (corruption_ != nullptr) return false;
  if (body_.empty() && here >= frame_.length) return true;
  std::size_t missing = frame_.length - body_.size();
  while (missing > 0) {
    const std::size_t take = std::min(missing, waiting());
    if (corruption_ != nullptr || take == 0) return false;
    const std::size_t at = body_.size();
    if (body_.capacity() < at + take) body_.reserve(std::min<std::size_t>(frame_.length, 2 * (at + take)));
    body_.resize(at + take);
    if (!read_exact(body_.data() + at, take)) return false;
    missing -= take;
    wake_writer();
  }
  return true;
}

bool FrameChannel::finish_frame(FrameSink& sink, bool& stop) {
  std::uint8_t* to = sink.allocate(frame_.length);
  if (to == nullptr && frame_.length > 0) return false;
  if (!body_.empty()) {
    std::memcpy(to, body_.data(), body_.size());
    std::vector<std::uint8_t>().swap(body_);
  } else if (!read_exact(to, frame_.length)) {
    return false;
  }
  in_frame_ = false;
  stop = !sink.deliver(frame_.type, frame_.id);
  return true;
}

void FrameChannel::wake_reader() {
  if (take_sleeper(writer_.state().reader_sleeps)) ring_cell();
}

void FrameChannel::wake_writer() {
  if (take_sleeper(reader_.state().writer_sleeps)) ring_cell();
}

void FrameChannel::ring_cell() {
  auto& bell = segment_.header().cell_bell;
  bell.fetch_add(1, std::memory_order_release);
  ::syscall(SYS_futex, &bell, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace pyisolate
