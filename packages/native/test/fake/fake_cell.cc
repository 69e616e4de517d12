// A cell without Python: it answers frames, and misbehaves in the way an `exec` frame's text names.
#include "fake_cell.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <thread>

#include "../../shared/control.h"
#include "../../shared/ring.h"
#include "wire.h"

namespace pyisolate::fake {
namespace {

class Sandbox {
 public:
  Sandbox(int memfd, int bell, bool alone, const std::string& misbehave = {}) : bell_(bell), alone_(alone) {
    struct stat info;
    ::fstat(memfd, &info);
    void* memory =
        ::mmap(nullptr, static_cast<std::size_t>(info.st_size), PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
    ::close(memfd);
    if (memory == MAP_FAILED) ::_exit(90);
    header_ = static_cast<SegmentHeader*>(memory);
    auto* data = static_cast<std::uint8_t*>(memory) + kSegmentHeaderBytes;
    reader_ = RingReader(&header_->to_cell, data, header_->ring_bytes);
    writer_ = RingWriter(&header_->to_host, data + header_->ring_bytes, header_->ring_bytes);
    // A number that is no descriptor of this process.
    if (misbehave == "no-listener") header_->listener.store(1'000'000);
    if (header_->sealed == 0) return;
    std::string hello(seal::hello_bytes(static_cast<seal::Form>(header_->sealed)), '\0');
    read_ring(hello);
    write(wire_.answer(hello, header_->ring_bytes, misbehave));
    if (take_sleeper(header_->to_host.reader_sleeps)) ring_host();
  }

  void run() {
    send(FrameType::ready, 0,
         R"({"enforcement":[{"mechanism":"fake","state":"active","essential":true,"detail":"none"}]})");
    for (;;) {
      FrameHeader frame;
      if (!read(reinterpret_cast<std::uint8_t*>(&frame), sizeof frame)) return ended();
      std::string payload(frame.length, '\0');
      if (!read(reinterpret_cast<std::uint8_t*>(payload.data()), payload.size())) return ended();
      switch (static_cast<FrameType>(frame.type)) {
        case FrameType::close: return ended();
        case FrameType::init:
          if (payload.find("mute") != std::string::npos) pause_forever();
          if (payload.find("die") != std::string::npos) ::abort();
          if (frame.id == kUnansweredId) {
            if (payload.find("bad") == std::string::npos) break;
            return ended(70);
          }
          send(payload.find("bad") != std::string::npos ? FrameType::error : FrameType::result, frame.id, "null");
          break;
        case FrameType::exec:
          if (!act(payload, frame.id)) return;
          break;
        case FrameType::message: took(payload.size()); [[fallthrough]];
        default: send(FrameType::result, frame.id, payload);
      }
    }
  }

 private:
  bool act(const std::string& text, std::uint64_t id) {
    const auto space = text.find(' ');
    const std::string what = text.substr(0, space);
    const std::size_t count = space == std::string::npos ? 0 : std::strtoull(text.c_str() + space, nullptr, 10);
    if (what == "exit") {
      ended(static_cast<int>(count));
      return false;
    }
    if (what == "abort") ::abort();
    if (what == "hang") send(FrameType::post, id, "hanging"), pause_forever();
    if (what == "spin")
      for (;;) asm volatile("");
    if (what == "sleep") return wait_for_interrupt(id);
    if (what == "big") send(FrameType::post, id, std::string(count, 'x'));
    if (what == "flood")
      for (std::size_t i = 0; i < count; ++i) send(FrameType::post, i, "0123456789abcdef");
    if (what == "form") send(FrameType::post, id, std::to_string(header_->sealed));
    if (what == "rings") send(FrameType::post, id, std::to_string(header_->cell_bell.load()));
    if (what == "refuse") header_->refused[1].fetch_add(static_cast<std::uint32_t>(count));
    if (what == "refuse-all")  // a cell that lies as fast as it can
      for (std::size_t i = 0; i < count; ++i) header_->refused[i % kRefusedKinds].fetch_add(0x7fffffff), ring_host();
    if (what == "corrupt-written")
      header_->to_host.written.store(count == 0 ? ~0ull : count), ring_host(), pause_forever();
    if (what == "corrupt-read") header_->to_cell.read.store(1ull << 40);
    if (what == "keep") keeps_ = true;
    if (what == "take") keeps_ = false, took(std::nullopt);
    if (what == "forge-taken") header_->messages_taken.store(1 << 20), ring_host();
    if (what == "bad-type") send(static_cast<FrameType>(9), 0, "");
    if (what == "oversize") put(header(FrameType::post, 0, 0x7fffffff)), ring_host();
    if (what == "mid-frame") {
      put(header(FrameType::post, 0, 1000) + "half");
      ::_exit(3);
    }
    if (what.starts_with("tamper-")) {
      const std::string post = header(FrameType::post, 7, 4) + "text";
      write(wire_.tamper(what, post, header(FrameType::post, 8, 4) + "more", received_));
      if (take_sleeper(header_->to_host.reader_sleeps)) ring_host();
    }
    send(FrameType::result, id, what);
    return true;
  }

  bool wait_for_interrupt(std::uint64_t id) {
    for (;;) {
      const auto mode = static_cast<Interrupt>(header_->interrupt.exchange(0));
      if (mode == Interrupt::end) return ended(), false;
      if (mode == Interrupt::raise) return send(FrameType::error, id, "KeyboardInterrupt"), true;
      ::usleep(2000);
    }
  }

  // A message that its guest takes: at once, or those that it kept when none is given.
  void took(std::optional<std::size_t> bytes) {
    if (bytes) taken_ += message_cost(*bytes);
    if (keeps_) return;
    header_->messages_taken.store(taken_);
    const std::uint64_t wanted = header_->messages_wanted.load();
    if (wanted != 0 && taken_ >= wanted && header_->messages_wanted.exchange(0) != 0) ring_host();
  }

  void ended(int code = 0) {
    send(FrameType::exit, 0, R"({"kind":"closed","code":0,"message":""})");
    if (alone_) ::_exit(code);
  }
  [[noreturn]] void pause_forever() {
    for (;;) ::pause();
  }

  static std::string header(FrameType type, std::uint64_t id, std::size_t length) {
    FrameHeader frame{};
    frame.length = static_cast<std::uint32_t>(length);
    frame.type = static_cast<std::uint8_t>(type);
    frame.id = id;
    return {reinterpret_cast<const char*>(&frame), sizeof frame};
  }
  void send(FrameType type, std::uint64_t id, const std::string& payload) {
    put(header(type, id, payload.size()) + payload);
    if (take_sleeper(header_->to_host.reader_sleeps)) ring_host();
  }

  void put(const std::string& frame) {
    if (!wire_.sealed()) return write(frame);
    for (std::size_t at = 0; at < frame.size(); at += wire_.longest())
      write(wire_.seal(frame.substr(at, wire_.longest())));
  }
  void write(const std::string& bytes) {
    const char* from = bytes.data();
    std::size_t count = bytes.size();
    while (count > 0) {
      RingStatus status = RingStatus::ok;
      const std::size_t done = writer_.write(reinterpret_cast<const std::uint8_t*>(from), count, status);
      from += done;
      count -= done;
      if (done > 0) continue;
      if (take_sleeper(header_->to_host.reader_sleeps)) ring_host();
      sleep_until(header_->to_host.writer_sleeps, [this] { return writer_.space() > 0; });
    }
  }

  // A frame's bytes: of the record that is open, or the next one.
  bool read(std::uint8_t* to, std::size_t count) {
    while (wire_.sealed() && text_.size() < count) {
      received_.assign(4, '\0');
      if (!read_ring(received_)) return false;
      std::uint32_t length;
      std::memcpy(&length, received_.data(), sizeof length);
      std::string sealed(length, '\0');
      if (!read_ring(sealed)) return false;
      received_ += sealed;
      const auto text = wire_.open(sealed);
      if (!text) ::_exit(92);
      text_ += *text;
    }
    if (!wire_.sealed()) {
      text_.assign(count, '\0');
      if (!read_ring(text_)) return false;
    }
    std::memcpy(to, text_.data(), count);
    text_.erase(0, count);
    return true;
  }
  bool read_ring(std::string& into) {
    auto* to = reinterpret_cast<std::uint8_t*>(into.data());
    std::size_t count = into.size();
    while (count > 0) {
      RingStatus status = RingStatus::ok;
      const std::size_t done = reader_.read(to, count, status);
      to += done;
      count -= done;
      if (done > 0) {
        if (take_sleeper(header_->to_cell.writer_sleeps)) ring_host();
      } else if (!sleep_until(header_->to_cell.reader_sleeps, [&] { return reader_.waiting(status) > 0; })) {
        return false;
      }
    }
    return true;
  }

  // False when the sandbox is told to end. The time-out is only for interrupts, which a real engine's
  // threads are woken for.
  template <typename Ready>
  bool sleep_until(std::atomic<std::uint32_t>& flag, Ready ready) {
    for (;;) {
      const std::uint32_t bell = header_->cell_bell.load();
      announce_sleep(flag);
      if (ready()) return true;
      timespec limit{0, 20'000'000};
      ::syscall(SYS_futex, &header_->cell_bell, FUTEX_WAIT, bell, &limit, nullptr, 0);
      if (static_cast<Interrupt>(header_->interrupt.load()) == Interrupt::end) return false;
    }
  }
  void ring_host() {
    const std::uint64_t one = 1;
    if (::write(bell_, &one, sizeof one) < 0) return;
  }

  SegmentHeader* header_ = nullptr;
  RingReader reader_;
  RingWriter writer_;
  int bell_;
  bool alone_;
  bool keeps_ = false;  // messages, rather than to take them
  std::uint64_t taken_ = 0;
  Wire wire_;
  std::string text_;      // opened, not read yet
  std::string received_;  // the last record
};

void serve_attaches(int control, bool late) {
  if (late) ::usleep(300'000);
  for (;;) {
    ControlHeader header;
    iovec part{&header, sizeof header};
    alignas(cmsghdr) char space[CMSG_SPACE(2 * sizeof(int))];
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    if (::recvmsg(control, &message, MSG_CMSG_CLOEXEC) < static_cast<ssize_t>(sizeof header)) return;
    int fds[2];
    std::memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fds);
    std::thread([memfd = fds[0], bell = fds[1]] {
      Sandbox(memfd, bell, false).run();
      ::close(bell);
    }).detach();
  }
}

}  // namespace

void run_cell(int memfd, int bell, int control, const std::string& misbehave) {
  ::signal(SIGINT, [](int) {});
  if (control >= 0) std::thread([control, late = misbehave == "late"] { serve_attaches(control, late); }).detach();
  Sandbox(memfd, bell, true, misbehave).run();
  ::_exit(0);
}

}  // namespace pyisolate::fake
