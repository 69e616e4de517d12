#include "frame_channel.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include <climits>

#include "loop.h"

namespace pyisolate {
namespace {

// One turn of the event loop per sandbox: enough to amortise the wake-up, little enough to stay fair.
constexpr int kFramesPerTurn = 64;
constexpr std::size_t kBytesPerTurn = 1 << 20;

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

std::unique_ptr<FrameChannel> FrameChannel::create(std::uint32_t ring_bytes, std::uint32_t max_frame_bytes,
                                                   std::optional<seal::Form> form, Loop& loop) {
  std::optional<seal::KeyPair> keys;
  if (form) keys = loop.take_keys();
  return std::make_unique<FrameChannel>(HostSegment::create(ring_bytes, form ? static_cast<std::uint32_t>(*form) : 0),
                                        max_frame_bytes, form, std::move(keys));
}

FrameChannel::FrameChannel(HostSegment segment, std::uint32_t max_frame_bytes, std::optional<seal::Form> form,
                           std::optional<seal::KeyPair> keys)
    : segment_(std::move(segment)),
      writer_(segment_.writer()),
      reader_(segment_.reader()),
      max_frame_(max_frame_bytes),
      form_(form) {
  if (!form) return;
  const auto ring_bytes = static_cast<std::uint32_t>(writer_.capacity());
  greeting_.emplace(*form, std::move(*keys), seal::prologue(ring_bytes));
  put(greeting_->hello().data(), greeting_->hello().size());
}

// True once there are keys, or where there are none.
bool FrameChannel::greet() {
  if (!greeting_) return true;
  RingStatus status = RingStatus::ok;
  const std::size_t here = reader_.waiting(status);
  std::vector<std::uint8_t> answer(seal::answer_bytes(*form_));
  if (status == RingStatus::ok && here < answer.size()) return false;
  seal::SessionKeys session;
  if (status != RingStatus::ok || reader_.read(answer.data(), answer.size(), status) != answer.size()) {
    corruption_ = "impossible write position";
  } else if (!greeting_->finish(answer, session)) {
    corruption_ = "the answer to the hello is not authentic";
  } else {
    sealer_.emplace(session.to_responder, writer_.capacity(), segment_.header().sealed_to_cell);
    opener_.emplace(session.to_initiator, writer_.capacity());
    greeting_.reset();
    unsealed_bytes_ = 0;
    for (auto& frame : std::exchange(unsealed_, {})) {
      FrameHeader header;
      std::memcpy(&header, frame.data(), sizeof header);
      write_frame(header, seal::Bytes(frame).subspan(sizeof header));
    }
    if (queued_ > 0)
      flush_queue();
    else
      wake_reader();
  }
  return corruption_ == nullptr;
}

FrameChannel::Drain FrameChannel::drain(FrameSink& sink) {
  int frames = 0;
  std::size_t bytes = 0;
  std::size_t unwoken = 0;
  bool announced = false;
  for (;;) {
    const bool ready = greet() && (in_frame_ || start_frame()) && collect_body();
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

bool FrameChannel::anything() const {
  RingStatus status = RingStatus::ok;
  return reader_.waiting(status) > 0 || status != RingStatus::ok;
}

void FrameChannel::ask_for_bell(bool ring) {
  if (ring)
    announce_sleep(reader_.state().reader_sleeps);
  else
    reader_.state().reader_sleeps.store(0, std::memory_order_relaxed);
}

// Bytes to be read: in the ring, or of the record that is open.
std::size_t FrameChannel::waiting() {
  if (opener_) {
    if (opener_->ready() == 0) corruption_ = opener_->advance(reader_);
    return opener_->ready();
  }
  RingStatus status = RingStatus::ok;
  const std::size_t count = reader_.waiting(status);
  if (status == RingStatus::corrupt) corruption_ = "impossible write position";
  return count;
}

bool FrameChannel::read_exact(std::uint8_t* to, std::size_t count) {
  if (opener_) {
    opener_->take(to, count);  // as many as waiting() has said
    return true;
  }
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
  if (opener_ && opener_->ready() > 0) {
    corruption_ = "a record goes on behind its frame";
    return false;
  }
  if (const std::size_t here = waiting(); here < sizeof frame_) {
    if (opener_ && here > 0) corruption_ = "a record too short for a frame";
    return false;
  }
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
  std::size_t missing = frame_.length - body_.size();
  if (missing == 0) return true;  // and the next record is the next frame's
  const std::size_t here = waiting();
  if (corruption_ != nullptr) return false;
  if (body_.empty() && here >= frame_.length) return true;
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

void FrameChannel::wake_writer() {
  if (take_sleeper(reader_.state().writer_sleeps)) ring_cell();
}

void FrameChannel::ring_cell() {
  auto& bell = segment_.header().cell_bell;
  bell.fetch_add(1, std::memory_order_release);
  ::syscall(SYS_futex, &bell, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace pyisolate
