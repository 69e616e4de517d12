#pragma once

#include <linux/time_types.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "../unique_fd.h"
#include "mailbox.h"
#include "workers.h"

namespace pyisolate::io {

using Clock = std::chrono::steady_clock;
inline constexpr Clock::time_point kNever = Clock::time_point::max();

struct Handle;
struct Operation;

// A descriptor while a backend drives it. Shared, as a worker may still be inside a call on it when it is closed.
struct File {
  std::shared_ptr<UniqueFd> fd;
  bool is_socket = true;

  // The backend's own. io_uring: its number among the fixed files. epoll: what is known, and who waits.
  int slot = -1;
  bool readable = true;
  bool writable = true;
  Operation* in = nullptr;
  Operation* out = nullptr;
};

enum class Kind : std::uint8_t { accept, receive, receive_from, connect, send, send_to, read, write };

// Those that bring what nobody has to ask for.
constexpr bool is_inbound(Kind kind) {
  return kind == Kind::accept || kind == Kind::receive || kind == Kind::receive_from;
}

// Something under way. What is inbound goes on until they are cancelled or the other end is reached, the others
// end after one call, which may be short. Stays where it is until it is finished.
struct Operation {
  Kind kind = Kind::receive;
  Handle* owner = nullptr;
  File* file = nullptr;
  std::shared_ptr<std::vector<std::uint8_t>> buffer;  // of what sends, reads or writes: the part from `done` on
  std::size_t done = 0;
  std::uint64_t offset = 0;  // in a file, of the part
  sockaddr_storage peer{};   // to connect or send to
  socklen_t peer_bytes = 0;
  Clock::time_point deadline = kNever;
  bool active = false;

  // The backend's own.
  std::uint64_t key = 0;
  bool cancelling = false;
  bool begun = false;
  bool queued = false;
  int awaited = 0;
  int result = 0;
  __kernel_timespec until{};
  msghdr message{};
  iovec part{};

  std::uint8_t* data() const { return buffer->data() + done; }
  std::size_t size() const { return buffer->size() - done; }
};

// No datagram is larger (RFC 768).
inline constexpr std::size_t kMostDatagram = 65536;

// Told by a backend, from inside run() alone.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void accepted(Operation& operation, UniqueFd socket) = 0;
  virtual void received(Operation& operation, std::span<const std::uint8_t> bytes) = 0;
  // A datagram, which may be empty.
  virtual void received_from(Operation& operation, std::span<const std::uint8_t> bytes, const sockaddr_storage& peer,
                             socklen_t peer_bytes) = 0;
  // Once, last. `result`: a count of bytes, 0 at the end, or an errno below zero: ECANCELED, and ETIME for a deadline.
  virtual void finished(Operation& operation, int result) = 0;
  // The thread is about to sleep: pass on what was told.
  virtual void before_wait() = 0;
};

// What drives descriptors: io_uring or epoll. One thread's.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual const char* name() const = 0;
  virtual void adopt(File& file) = 0;    // throws SystemFailure
  virtual void release(File& file) = 0;  // nothing of it is active any more
  virtual void start(Operation& operation) = 0;
  virtual void cancel(Operation& operation) = 0;
  // Submits what was started, waits until something happens, the mailbox rings or `until`, and tells the sink.
  virtual void run(Clock::time_point until) = 0;
  virtual std::size_t fixed_files() const { return 0; }
};

// Throw SystemFailure: for io_uring with what this kernel, or what confines this process, says to it.
std::unique_ptr<Backend> make_uring(std::shared_ptr<Mailbox> mailbox, Sink& sink);
std::unique_ptr<Backend> make_epoll(std::shared_ptr<Mailbox> mailbox, std::shared_ptr<Workers> workers, Sink& sink);

}  // namespace pyisolate::io
