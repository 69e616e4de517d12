#include "transport/channel.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "transport/exit_payload.h"

namespace pyisolate {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

void futex_wait(std::atomic<std::uint32_t>* word, std::uint32_t seen, const timespec* timeout) {
  syscall(SYS_futex, word, FUTEX_WAIT, seen, timeout, nullptr, 0);
}

void futex_wake_all(std::atomic<std::uint32_t>* word) {
  syscall(SYS_futex, word, FUTEX_WAKE, 0x7fffffff, nullptr, nullptr, 0);
}

// In an exchange that is under way the next frame comes sooner than a processor falls asleep and is woken again. Who
// waited for longer last time sleeps at once: an idle sandbox costs nothing.
constexpr auto kMoment = std::chrono::microseconds(100);

}  // namespace

Channel::Channel(int segment, int bell) : bell_(bell) {
  struct stat info;
  if (fstat(segment, &info) != 0) fail("fstat segment");
  mapped_ = static_cast<std::size_t>(info.st_size);
  if (mapped_ < segment_bytes(kMinRingBytes)) errno = EINVAL, fail("segment size");
  void* at = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_SHARED, segment, 0);
  if (at == MAP_FAILED) fail("map segment");
  header_ = static_cast<SegmentHeader*>(at);
  const std::uint32_t bytes = header_->ring_bytes;
  if (header_->magic != kSegmentMagic || segment_bytes(bytes) != mapped_) errno = EINVAL, fail("segment header");
  auto* data = static_cast<std::uint8_t*>(at) + kSegmentHeaderBytes;
  reader_ = RingReader(&header_->to_cell, data, bytes);
  writer_ = RingWriter(&header_->to_host, data + bytes, bytes);
}

Channel::~Channel() {
  if (header_ != nullptr) munmap(header_, mapped_);
  if (bell_ >= 0) close(bell_);
}

void Channel::greet(int bell, std::optional<seal::KeyPair> keys) {
  if (header_->sealed == 0) return;
  if (!keys) keys = seal::KeyPair::generate();
  const auto bytes = static_cast<std::uint32_t>(ring_bytes());
  const auto form = header_->sealed == 2 ? seal::Form::hybrid : seal::Form::plain;
  std::vector<std::uint8_t> hello(seal::hello_bytes(form)), answer;
  seal::SessionKeys session;
  RingStatus status = RingStatus::ok;
  if (reader_.read(hello.data(), hello.size(), status) != hello.size() || status != RingStatus::ok ||
      !seal::respond(form, *keys, seal::prologue(bytes), hello, answer, session))
    errno = EPROTO, fail("the supervisor's hello");
  sealer_.emplace(session.to_initiator, bytes, header_->sealed_to_host);
  opener_.emplace(session.to_responder, bytes);
  if (writer_.write(answer.data(), answer.size(), status) != answer.size()) errno = EPROTO, fail("the answer to it");
  const std::uint64_t one = 1;
  if (take_sleeper(header_->to_host.reader_sleeps)) (void)!::write(bell, &one, sizeof one);
}

void Channel::corrupt(const char* what, bool tell) {
  // The supervisor doesn't do this: somebody has scribbled on the ring, the guest as a rule. Nothing can be saved.
  (void)!::write(STDERR_FILENO, what, std::strlen(what));
  if (tell) try_write(FrameType::exit, 0, exit_payload("protocol", 70, what));
  _exit(70);
}

void Channel::ring_bell() {
  const std::uint64_t one = 1;
  (void)!::write(bell_, &one, sizeof one);  // can only fail by being full, and then it has rung
}

void Channel::count_refusal(Refused what) noexcept {
  const int saved = errno;
  const auto kind = static_cast<std::size_t>(what);
  header_->refused[kind].fetch_add(1, std::memory_order_release);
  const std::int64_t now = std::chrono::nanoseconds(Clock::now().time_since_epoch()).count();
  std::int64_t last = told_refusal_ns_[kind].load(std::memory_order_relaxed);
  const bool due = last == 0 || now - last >= 1'000'000'000;
  if (due && told_refusal_ns_[kind].compare_exchange_strong(last, now, std::memory_order_relaxed)) ring_bell();
  errno = saved;
}

void Channel::offer_listener(int listener) {
  auto& word = header_->listener;
  const auto offered = static_cast<std::uint32_t>(listener) + 1;
  header_->thread.store(static_cast<std::uint32_t>(syscall(SYS_gettid)), std::memory_order_relaxed);
  word.store(offered, std::memory_order_release);
  ring_bell();
  while (word.load(std::memory_order_acquire) != kListenerTaken) futex_wait(&word, offered, nullptr);
  close(listener);
}

// Stores and loads in one order (seq_cst): either this sees what the supervisor wants, or that sees what was taken.
void Channel::took_message(std::size_t bytes) {
  messages_taken_ += message_cost(bytes);
  header_->messages_taken.store(messages_taken_);
  const std::uint64_t wanted = header_->messages_wanted.load();
  if (wanted != 0 && messages_taken_ >= wanted && header_->messages_wanted.exchange(0) != 0) ring_bell();
}

void Channel::wake() {
  header_->cell_bell.fetch_add(1, std::memory_order_seq_cst);
  futex_wake_all(&header_->cell_bell);
}

void Channel::sleep(std::uint32_t seen, const Deadline& until) {
  if (!until) return futex_wait(&header_->cell_bell, seen, nullptr);
  const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(*until - Clock::now()).count();
  if (left <= 0) return;
  const timespec timeout = {static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
  futex_wait(&header_->cell_bell, seen, &timeout);
}

std::size_t Channel::ring_space(std::size_t bytes) const {
  return sealer_ ? seal::sealed_bytes(bytes, writer_.capacity()) : bytes;
}

void Channel::put(std::span<const std::uint8_t> bytes) {
  RingStatus status = RingStatus::ok;
  while (!bytes.empty()) {
    const std::uint32_t seen = header_->cell_bell.load(std::memory_order_acquire);
    std::size_t done = writer_.write(bytes.data(), bytes.size(), status);
    if (done == 0 && status == RingStatus::ok) {
      // What was written quietly has to be read now.
      if (take_sleeper(header_->to_host.reader_sleeps)) ring_bell();
      announce_sleep(header_->to_host.writer_sleeps);
      done = writer_.write(bytes.data(), bytes.size(), status);
      if (done == 0 && status == RingStatus::ok) sleep(seen, std::nullopt);
    }
    if (status != RingStatus::ok) corrupt("the ring to the supervisor is corrupt", false);
    bytes = bytes.subspan(done);
    if (done > 0 && !(quiet_ && bytes.empty()) && take_sleeper(header_->to_host.reader_sleeps)) ring_bell();
  }
}

bool Channel::write(FrameType type, std::uint64_t id, std::span<const std::uint8_t> payload,
                    const std::function<bool()>& interrupted) {
  FrameHeader head = {};
  head.length = static_cast<std::uint32_t>(payload.size());
  head.type = static_cast<std::uint8_t>(type);
  head.id = id;
  const std::size_t whole = ring_space(sizeof head + payload.size());
  std::unique_lock lock(write_lock_);
  if (interrupted && whole <= writer_.capacity()) {
    while (writer_.space() < whole) {
      const std::uint32_t seen = header_->cell_bell.load(std::memory_order_acquire);
      announce_sleep(header_->to_host.writer_sleeps);
      if (writer_.space() >= whole) break;
      sleep(seen, std::nullopt);
      if (writer_.space() >= whole) break;
      lock.unlock();
      if (interrupted()) return false;
      lock.lock();
    }
  }
  write_locked(head, payload);
  return true;
}

bool Channel::try_write(FrameType type, std::uint64_t id, std::span<const std::uint8_t> payload) {
  std::unique_lock lock(write_lock_, std::try_to_lock);
  FrameHeader head = {};
  head.length = static_cast<std::uint32_t>(payload.size());
  head.type = static_cast<std::uint8_t>(type);
  head.id = id;
  if (!lock || writer_.space() < ring_space(sizeof head + payload.size())) return false;
  write_locked(head, payload);
  return true;
}

void Channel::write_locked(const FrameHeader& head, std::span<const std::uint8_t> payload) {
  std::span<const std::uint8_t> first(reinterpret_cast<const std::uint8_t*>(&head), sizeof head);
  if (sealer_) {
    do {
      const auto part = payload.first(std::min(payload.size(), sealer_->longest() - first.size()));
      put(seal(first, part));
      payload = payload.subspan(part.size());
      first = {};
    } while (!payload.empty());
    return;
  }
  const std::size_t whole = sizeof head + payload.size();
  if (whole <= 2048) {  // one copy, one publication, one wake-up
    std::uint8_t joined[2048];
    std::memcpy(joined, &head, sizeof head);
    if (!payload.empty()) std::memcpy(joined + sizeof head, payload.data(), payload.size());
    put({joined, whole});
  } else {
    put(first);
    put(payload);
  }
}

std::span<const std::uint8_t> Channel::seal(std::span<const std::uint8_t> head, std::span<const std::uint8_t> rest) {
  try {
    return sealer_->seal(head, rest);
  } catch (const seal::CryptoFailure& failure) {
    corrupt(failure.what(), false);
  }
}

void Channel::write_ahead(FrameType type, std::span<const std::uint8_t> payload) {
  RingStatus status = RingStatus::ok;
  quiet_ = reader_.waiting(status) > 0;
  write(type, 0, payload);
  quiet_ = false;
}

std::size_t Channel::pull(std::uint8_t* to, std::size_t want) {
  RingStatus status = RingStatus::ok;
  std::size_t got = 0;
  if (!opener_) {
    got = reader_.read(to, want, status);
    if (status != RingStatus::ok) corrupt("the ring from the supervisor is corrupt", true);
  } else {
    if (opener_->ready() == 0) {
      if (const char* problem = opener_->advance(reader_); problem != nullptr) corrupt(problem, true);
    }
    got = std::min(want, opener_->ready());
    opener_->take(to, got);
  }
  if (got > 0 && take_sleeper(header_->to_cell.writer_sleeps)) ring_bell();
  bytes_in_ += got;
  return got;
}

Channel::Part Channel::assemble() {
  if (head_read_ < sizeof head_) {
    head_read_ += pull(reinterpret_cast<std::uint8_t*>(&head_) + head_read_, sizeof head_ - head_read_);
    if (head_read_ < sizeof head_) return Part::none;
    payload_.clear();
    payload_.resize(head_.length);
    payload_read_ = 0;
  }
  while (payload_read_ < payload_.size()) {
    const std::size_t got = pull(payload_.data() + payload_read_, payload_.size() - payload_read_);
    if (got == 0) return Part::none;
    payload_read_ += got;
  }
  head_read_ = 0;
  return Part::whole;
}

bool Channel::look_out(std::uint32_t seen) {
  const auto until = Clock::now() + kMoment;
  RingStatus status = RingStatus::ok;
  do {
    if (reader_.waiting(status) > 0 || status != RingStatus::ok) return true;
    if (header_->cell_bell.load(std::memory_order_acquire) != seen) return true;
    // The supervisor may be waiting for this very processor. A policy can deny it, and would be told of it each time.
    if (sched_yield() != 0) return may_yield_ = false;
  } while (Clock::now() < until);
  return false;
}

std::optional<Frame> Channel::read(const Deadline& until) {
  const std::uint32_t before = header_->cell_bell.load(std::memory_order_acquire);
  const auto since = Clock::now();
  for (;;) {
    const std::uint32_t seen = header_->cell_bell.load(std::memory_order_acquire);
    if (assemble() == Part::whole) {
      brisk_ = Clock::now() - since < kMoment;
      return Frame{static_cast<FrameType>(head_.type), head_.id, std::move(payload_)};
    }
    if (std::exchange(brisk_, false) && may_yield_ && look_out(seen)) continue;
    announce_sleep(header_->to_cell.reader_sleeps);
    if (assemble() == Part::whole) return Frame{static_cast<FrameType>(head_.type), head_.id, std::move(payload_)};
    if (seen != before) return std::nullopt;  // rung without a whole frame: let the caller look around
    sleep(seen, until);
    if (until && Clock::now() >= *until && header_->cell_bell.load() == seen) return std::nullopt;
    if (header_->cell_bell.load() == seen) return std::nullopt;  // a signal: the caller may have to act on it
  }
}

}  // namespace pyisolate
