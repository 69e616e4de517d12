// io_uring through liburing 2.3: multishot accept, recv and recvmsg (Linux 5.19, 6.0) into provided buffers, linked
// time-outs, fixed files, and one system call for everything that was started and for the wait.
#include <liburing.h>
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <unordered_map>

#include "../system_failure.h"
#include "backend.h"
#include "uring_buffers.h"

namespace pyisolate::io {
namespace {

constexpr unsigned kEntries = 1024;
constexpr unsigned kCompletions = 8192;
constexpr unsigned kBuffers = 512;  // a power of two
constexpr std::size_t kBufferBytes = 8192;
// One for each datagram, whatever it has: with its peer before it.
constexpr unsigned kDatagramBuffers = 32;
constexpr std::size_t kDatagramBytes = kMostDatagram + 256;
constexpr unsigned kMostFixed = 8192;
constexpr unsigned kBatch = 256;

// The lowest bits of a completion's user data; above them is an operation's key.
enum Tag : std::uint64_t { kOperation = 0, kTimeout = 1, kIgnored = 2, kBell = 3 };

class Ring {
 public:
  Ring() {
    // Completions are made where they are waited for, without interrupting this thread (Linux 6.1).
    int error = open(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
    if (error == -EINVAL) error = open(0);
    if (error != 0) throw SystemFailure("io_uring_setup", -error);
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() { io_uring_queue_exit(&ring_); }
  io_uring* get() { return &ring_; }

 private:
  int open(unsigned flags) {
    io_uring_params params{};
    params.flags = flags | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    params.cq_entries = kCompletions;
    return io_uring_queue_init_params(kEntries, &ring_, &params);
  }
  io_uring ring_{};
};

class UringBackend final : public Backend {
 public:
  UringBackend(std::shared_ptr<Mailbox> mailbox, Sink& sink)
      : mailbox_(std::move(mailbox)),
        sink_(sink),
        buffers_(0, kBuffers, kBufferBytes),
        datagrams_(1, kDatagramBuffers, kDatagramBytes) {
    buffers_.provide(ring_.get());
    datagrams_.provide(ring_.get());
    provide_files();
    try_receiving();
    listen_to_bell();
  }

  const char* name() const override { return "io_uring"; }
  std::size_t fixed_files() const override { return slots_ - free_.size(); }

  void adopt(File& file) override {
    // Without a free slot it is used by its number: as good, and a little slower.
    if (free_.empty()) return;
    int fd = file.fd->get();
    if (io_uring_register_files_update(ring_.get(), free_.back(), &fd, 1) != 1) return;
    file.slot = static_cast<int>(free_.back());
    free_.pop_back();
  }

  void release(File& file) override {
    if (file.slot < 0) return;
    int none = -1;
    const auto slot = static_cast<unsigned>(file.slot);
    file.slot = -1;
    if (io_uring_register_files_update(ring_.get(), slot, &none, 1) == 1) free_.push_back(slot);
  }

  void start(Operation& operation) override {
    operation.active = true;
    operation.cancelling = false;
    submit(operation);
  }

  void cancel(Operation& operation) override {
    if (!operation.active || operation.cancelling) return;
    operation.cancelling = true;
    if (operation.awaited == 0) return;  // not with the kernel: run() sees it
    cancels_.push_back(operation.key);
  }

  void run(Clock::time_point until) override {
    const bool finished = start_waiting();
    sink_.before_wait();
    const bool busy = finished || !waiting_.empty() || !cancels_.empty();
    io_uring_cqe* first = nullptr;
    __kernel_timespec wait = span(busy ? Clock::now() : until);
    const bool forever = !busy && until == kNever;
    io_uring_submit_and_wait_timeout(ring_.get(), &first, 1, forever ? nullptr : &wait, nullptr);
    std::array<io_uring_cqe*, kBatch> found;
    std::array<io_uring_cqe, kBatch> batch;
    const unsigned count = io_uring_peek_batch_cqe(ring_.get(), found.data(), kBatch);
    // Copied: what they lead to may submit, and with it make room for others.
    for (unsigned i = 0; i < count; ++i) batch[i] = *found[i];
    io_uring_cq_advance(ring_.get(), count);
    for (unsigned i = 0; i < count; ++i) complete(batch[i]);
  }

 private:
  void provide_files() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);  // the kernel wants no more fixed files than that
    const auto slots = static_cast<unsigned>(std::min<rlim_t>(kMostFixed, limit.rlim_cur));
    if (io_uring_register_files_sparse(ring_.get(), slots) != 0) return;
    slots_ = slots;
    for (unsigned slot = slots; slot > 0; --slot) free_.push_back(slot - 1);
  }

  // Whether a kernel knows multishot receives, only trying tells: it may have the number of the call and not the flag.
  void try_receiving() {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) throw SystemFailure("socketpair");
    UniqueFd near(pair[0]), far(pair[1]);
    io_uring_sqe* sqe = io_uring_get_sqe(ring_.get());
    prepare_receive(sqe, near.get());
    io_uring_sqe_set_data64(sqe, kIgnored);
    io_uring_submit(ring_.get());
    if (::write(far.get(), "x", 1) != 1) throw SystemFailure("write");
    io_uring_cqe got = next();
    if (got.res != 1 || (got.flags & IORING_CQE_F_MORE) == 0 || (got.flags & IORING_CQE_F_BUFFER) == 0)
      throw SystemFailure("io_uring_enter", got.res < 0 ? -got.res : EOPNOTSUPP);
    buffers_.recycle(got);
    far.reset();
    got = next();
    if ((got.flags & IORING_CQE_F_BUFFER) != 0) buffers_.recycle(got);
  }

  io_uring_cqe next() {
    io_uring_cqe* cqe = nullptr;
    __kernel_timespec wait{1, 0};
    if (const int error = io_uring_submit_and_wait_timeout(ring_.get(), &cqe, 1, &wait, nullptr); cqe == nullptr)
      throw SystemFailure("io_uring_enter", error < 0 ? -error : ETIME);
    const io_uring_cqe copy = *cqe;
    io_uring_cq_advance(ring_.get(), 1);
    return copy;
  }

  void listen_to_bell() {
    io_uring_sqe* sqe = entry();
    io_uring_prep_poll_multishot(sqe, mailbox_->bell(), POLLIN);
    io_uring_sqe_set_data64(sqe, kBell);
  }

  void prepare_receive(io_uring_sqe* sqe, int fd) const {
    io_uring_prep_recv_multishot(sqe, fd, nullptr, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = buffers_.group();
  }

  void prepare_receive_from(io_uring_sqe* sqe, int fd, Operation& operation) const {
    operation.message = {};
    operation.message.msg_namelen = sizeof(sockaddr_storage);
    io_uring_prep_recvmsg_multishot(sqe, fd, &operation.message, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = datagrams_.group();
  }

  static void prepare_send_to(io_uring_sqe* sqe, int fd, Operation& operation, std::size_t size) {
    operation.part = {operation.data(), size};
    operation.message = {};
    operation.message.msg_name = &operation.peer;
    operation.message.msg_namelen = operation.peer_bytes;
    operation.message.msg_iov = &operation.part;
    operation.message.msg_iovlen = 1;
    io_uring_prep_sendmsg(sqe, fd, &operation.message, MSG_NOSIGNAL);
  }

  bool room(unsigned entries) {
    if (io_uring_sq_space_left(ring_.get()) >= entries) return true;
    io_uring_submit(ring_.get());
    return io_uring_sq_space_left(ring_.get()) >= entries;
  }

  io_uring_sqe* entry() { return room(1) ? io_uring_get_sqe(ring_.get()) : nullptr; }

  void submit(Operation& operation) {
    if (!operation.queued && !room(2)) waiting_.push_back(&operation), operation.queued = true;
    if (operation.queued) return;
    operation.key = ++last_key_;
    live_.emplace(operation.key, &operation);
    const bool fixed = operation.file->slot >= 0;
    const int fd = fixed ? operation.file->slot : operation.file->fd->get();
    io_uring_sqe* sqe = io_uring_get_sqe(ring_.get());
    prepare(sqe, fd, operation);
    if (fixed) sqe->flags |= IOSQE_FIXED_FILE;
    io_uring_sqe_set_data64(sqe, operation.key << 2 | kOperation);
    operation.awaited = 1;
    if (operation.deadline == kNever) return;
    sqe->flags |= IOSQE_IO_LINK;
    io_uring_sqe* timeout = io_uring_get_sqe(ring_.get());
    operation.until = span(operation.deadline);
    io_uring_prep_link_timeout(timeout, &operation.until, 0);
    io_uring_sqe_set_data64(timeout, operation.key << 2 | kTimeout);
    operation.awaited = 2;
  }

  void prepare(io_uring_sqe* sqe, int fd, Operation& operation) const {
    const auto size = static_cast<unsigned>(operation.buffer ? std::min<std::size_t>(operation.size(), 1u << 30) : 0);
    switch (operation.kind) {
      case Kind::accept: return io_uring_prep_multishot_accept(sqe, fd, nullptr, nullptr, SOCK_CLOEXEC);
      case Kind::receive: return prepare_receive(sqe, fd);
      case Kind::receive_from: return prepare_receive_from(sqe, fd, operation);
      case Kind::connect:
        return io_uring_prep_connect(sqe, fd, reinterpret_cast<sockaddr*>(&operation.peer), operation.peer_bytes);
      case Kind::send: return io_uring_prep_send(sqe, fd, operation.data(), size, MSG_NOSIGNAL);
      case Kind::send_to: return prepare_send_to(sqe, fd, operation, size);
      case Kind::read: return io_uring_prep_read(sqe, fd, operation.data(), size, operation.offset);
      case Kind::write: return io_uring_prep_write(sqe, fd, operation.data(), size, operation.offset);
    }
  }

  // Whether something has finished by that.
  bool start_waiting() {
    bool finished = false;
    while (!cancels_.empty()) {
      io_uring_sqe* sqe = entry();
      if (sqe == nullptr) return finished;
      io_uring_prep_cancel64(sqe, cancels_.back() << 2 | kOperation, 0);
      io_uring_sqe_set_data64(sqe, kIgnored);
      cancels_.pop_back();
    }
    while (!waiting_.empty() && room(2)) {
      Operation& operation = *waiting_.front();
      waiting_.pop_front();
      operation.queued = false;
      if (operation.cancelling) {
        finish(operation, -ECANCELED);
        finished = true;
      } else {
        submit(operation);
      }
    }
    return finished;
  }

  void complete(const io_uring_cqe& cqe) {
    const std::uint64_t data = cqe.user_data;
    if (data == kIgnored) return;
    if (data == kBell) {
      if ((cqe.flags & IORING_CQE_F_MORE) == 0) listen_to_bell();
      return mailbox_->silence();
    }
    const auto found = live_.find(data >> 2);
    if (found == live_.end()) return;
    Operation& operation = *found->second;
    if (operation.kind == Kind::accept) {
      if (cqe.res >= 0) sink_.accepted(operation, UniqueFd(cqe.res));
    } else if (operation.kind == Kind::receive) {
      if ((cqe.flags & IORING_CQE_F_BUFFER) != 0) {
        if (cqe.res > 0) sink_.received(operation, {buffers_.of(cqe), static_cast<std::size_t>(cqe.res)});
        buffers_.recycle(cqe);
      }
    } else if (operation.kind == Kind::receive_from && (cqe.flags & IORING_CQE_F_BUFFER) != 0) {
      if (cqe.res > 0) take_datagram(operation, cqe);
      datagrams_.recycle(cqe);
    }
    if ((cqe.flags & IORING_CQE_F_MORE) != 0) return;
    if ((data & 3) == kOperation) operation.result = cqe.res;
    if (--operation.awaited > 0) return;
    live_.erase(found);
    settle(operation);
  }

  void take_datagram(Operation& operation, const io_uring_cqe& cqe) {
    io_uring_recvmsg_out* out = io_uring_recvmsg_validate(datagrams_.of(cqe), cqe.res, &operation.message);
    if (out == nullptr) return;
    sockaddr_storage peer{};
    const auto size = std::min<std::size_t>(out->namelen, sizeof peer);
    std::memcpy(&peer, io_uring_recvmsg_name(out), size);
    const auto* bytes = static_cast<const std::uint8_t*>(io_uring_recvmsg_payload(out, &operation.message));
    const unsigned count = io_uring_recvmsg_payload_length(out, cqe.res, &operation.message);
    sink_.received_from(operation, {bytes, count}, peer, static_cast<socklen_t>(size));
  }

  void settle(Operation& operation) {
    const int result = operation.result;
    const bool multishot = is_inbound(operation.kind);
    // It has ended by itself, with more to come: all buffers were in use, or completions had no room.
    const bool goes_on = operation.kind == Kind::accept ? result >= 0 : result > 0 || result == -ENOBUFS;
    if (operation.cancelling && (multishot || result < 0)) return finish(operation, -ECANCELED);
    if (multishot && (goes_on || result == -EINTR)) return submit(operation);
    // Nothing but its linked time-out has cancelled it, or interrupted the kernel's worker that was inside it.
    const bool stopped = result == -ECANCELED || result == -EINTR;
    if (stopped && operation.deadline != kNever) return finish(operation, -ETIME);
    finish(operation, result);
  }

  void finish(Operation& operation, int result) {
    operation.active = false;
    sink_.finished(operation, result);
  }

  static __kernel_timespec span(Clock::time_point until) {
    const auto left = std::max<std::int64_t>(0, std::chrono::nanoseconds(until - Clock::now()).count());
    return {.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
  }

  std::shared_ptr<Mailbox> mailbox_;
  Sink& sink_;
  UringBuffers buffers_;
  UringBuffers datagrams_;
  Ring ring_;  // gone before what it writes to
  unsigned slots_ = 0;
  std::vector<unsigned> free_;
  std::uint64_t last_key_ = 0;
  std::unordered_map<std::uint64_t, Operation*> live_;
  std::deque<Operation*> waiting_;  // for room in the submission queue
  std::vector<std::uint64_t> cancels_;
};

}  // namespace

std::unique_ptr<Backend> make_uring(std::shared_ptr<Mailbox> mailbox, Sink& sink) {
  return std::make_unique<UringBackend>(std::move(mailbox), sink);
}

}  // namespace pyisolate::io
