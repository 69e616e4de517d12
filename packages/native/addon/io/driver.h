#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

#include "backend.h"
#include "report.h"

namespace pyisolate::io {

// By whose leave something is open: whether it still holds under the policy in force, and whose it is.
struct Grant {
  std::function<bool()> holds{};  // none: nobody's policy is asked
  const void* grantee = nullptr;
  bool revoked() const { return holds && !holds(); }
};

// One operation that somebody waits for, by its number.
struct Transfer : Operation {
  std::uint64_t id = 0;
  std::function<int()> judge{};  // of send_to, before it begins: 0 or an errno
};

// A listener, a stream, a datagram socket or a file, by its number.
struct Handle {
  enum class Type : std::uint8_t { listener, stream, datagrams, file };
  std::uint64_t id = 0;
  Type type = Type::stream;
  File file;
  Operation in;                   // accepts or receives
  std::deque<Transfer*> to_send;  // the first is under way
  std::size_t unread = 0;         // bytes, or connections, that were handed out and not yet consumed
  std::size_t window = 0;         // how many of them there may be
  int family = 0;                 // of a socket that is bound
  unsigned active = 0;            // operations that the backend has
  Clock::time_point retry = kNever;
  Grant grant;
  bool opened = false;
  bool ended = false;
  bool closing = false;
  bool revoked = false;  // and closing; it stays until whoever has it closes it
  std::uint64_t close_id = 0;
};

// Of a stream that a guest has asked for: it may have as many as descriptors, and they are kept in this process.
inline constexpr std::size_t kGuestWindow = 64 * 1024;

// How a descriptor is had, by a worker: it may wait for a disk.
struct Opened {
  int error = 0;
  std::shared_ptr<UniqueFd> fd;
  sockaddr_storage peer{};  // of a socket: where to connect it to, unless `peer_bytes` is 0
  socklen_t peer_bytes = 0;
  std::uint64_t value = 0;           // for whoever asked
  std::shared_ptr<UniqueFd> hold{};  // kept until it is connected
  std::size_t window = 0;            // 0: the usual one
  std::string name{};                // of a Unix socket that listens, as it is to be called
  Grant grant{};
};
using Opener = std::function<Opened()>;

// What runs on an I/O thread: descriptors with their windows, queues and ends, over one backend. Every number is the
// caller's choice. All of it the I/O thread's alone.
class Driver final : public Sink {
 public:
  Driver(std::shared_ptr<Mailbox> mailbox, std::shared_ptr<Workers> workers, std::shared_ptr<Outbox> outbox,
         std::shared_ptr<Counters> counters, std::shared_ptr<std::atomic<std::uint64_t>> next_handle);

  void use(std::unique_ptr<Backend> backend) { backend_ = std::move(backend); }
  void run();  // until stop()
  void stop();

  bool busy() const { return !handles_.empty(); }

  // `window`: connections that may wait to be consumed.
  void listen(std::uint64_t handle, std::uint64_t id, const sockaddr_storage& at, socklen_t bytes, int backlog,
              std::size_t window);
  // A UDP socket; without `bytes` one that sends from wherever the kernel says.
  void datagrams(std::uint64_t handle, std::uint64_t id, const sockaddr_storage& at, socklen_t bytes);
  void connect(std::uint64_t handle, std::uint64_t id, const sockaddr_storage& peer, socklen_t bytes,
               Clock::time_point deadline);
  // Lets a worker open a file, or choose and judge the peer of a stream.
  void open(std::uint64_t handle, std::uint64_t id, Handle::Type type, Opener opener, Clock::time_point deadline);
  void send(std::uint64_t handle, std::uint64_t id, std::vector<std::uint8_t> bytes, Clock::time_point deadline);
  void send_to(std::uint64_t handle, std::uint64_t id, std::vector<std::uint8_t> bytes, const sockaddr_storage& peer,
               socklen_t peer_bytes, Clock::time_point deadline, std::function<int()> judge);
  void shut(std::uint64_t handle, std::uint64_t id);
  void read(std::uint64_t handle, std::uint64_t id, std::uint64_t offset, std::size_t size, Clock::time_point deadline);
  void write(std::uint64_t handle, std::uint64_t id, std::uint64_t offset, std::vector<std::uint8_t> bytes,
             Clock::time_point deadline);
  void consume(std::uint64_t handle, std::size_t count);
  void set_option(std::uint64_t handle, int name, int value);
  void cancel(std::uint64_t id);
  void close(std::uint64_t handle, std::uint64_t id);
  // Another policy is in force for `grantee`: what it no longer allows ends, with EACCES. Reports how many those were.
  void judge_again(const void* grantee, std::uint64_t id);

  void accepted(Operation& operation, UniqueFd socket) override;
  void received(Operation& operation, std::span<const std::uint8_t> bytes) override;
  void received_from(Operation& operation, std::span<const std::uint8_t> bytes, const sockaddr_storage& peer,
                     socklen_t peer_bytes) override;
  void finished(Operation& operation, int result) override;
  void before_wait() override { outbox_->ring(); }

 private:
  struct Opening {
    std::uint64_t handle;
    Handle::Type type;
    Clock::time_point deadline;
  };

  Handle& add(std::uint64_t id, Handle::Type type, std::shared_ptr<UniqueFd> fd);  // throws SystemFailure
  Handle* find(std::uint64_t id);
  // The same for the operation `id`, which is told why there is none.
  Handle* need(std::uint64_t handle, std::uint64_t id, Handle::Type type);
  Transfer& transfer(Handle& handle, std::uint64_t id, Kind kind, Clock::time_point deadline);
  void opened(std::uint64_t id, Opened result);
  void begin_connect(Handle& handle, std::uint64_t id, Opened where, Clock::time_point deadline);
  void start(Operation& operation);
  void start_sending(Handle& handle);
  void pull(Handle& handle);
  void inbound_finished(Handle& handle, int result);
  void transfer_finished(Transfer& transfer, int result);
  void complete(Transfer& transfer, std::int64_t result);
  void begin_close(Handle& handle, std::uint64_t id);
  void revoke(Handle& handle);
  // Where a listener or a datagram socket is, and that it is there.
  void report_bound(Handle& handle, std::uint64_t id, std::string name);
  void finish_close(Handle& handle);
  void report_done(std::uint64_t id, std::int64_t result);
  Clock::time_point look_after_times();

  std::shared_ptr<Mailbox> mailbox_;
  std::shared_ptr<Workers> workers_;
  std::shared_ptr<Outbox> outbox_;
  std::shared_ptr<Counters> counters_;
  std::shared_ptr<std::atomic<std::uint64_t>> next_handle_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Handle>> handles_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Transfer>> transfers_;
  std::unordered_map<std::uint64_t, Opening> openings_;
  std::unordered_map<std::uint64_t, std::shared_ptr<UniqueFd>> holds_;  // by transfer
  std::size_t pausing_ = 0;                                             // listeners that wait for descriptors
  Clock::time_point stop_at_ = kNever;
  bool stopping_ = false;
  std::unique_ptr<Backend> backend_;  // gone before what it writes to
};

// "192.0.2.1" and its port of a peer, or of one's own end; a Unix socket's path and 0.
std::pair<std::string, int> name_of(const sockaddr_storage& address, socklen_t bytes);

}  // namespace pyisolate::io
