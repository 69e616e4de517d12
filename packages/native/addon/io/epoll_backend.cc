// The same with epoll, for hosts that forbid io_uring: descriptors are watched edge-triggered, calls are made when they
// won't wait, and files are read and written by workers.
#include <fcntl.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <map>
#include <unordered_map>

#include "../system_failure.h"
#include "backend.h"

namespace pyisolate::io {
namespace {

constexpr int kBatch = 256;
constexpr int kAcceptsATurn = 64;
constexpr std::size_t kChunk = 8192;
constexpr int kChunksATurn = 8;
constexpr auto kRetry = std::chrono::milliseconds(5);

class EpollBackend final : public Backend {
 public:
  EpollBackend(std::shared_ptr<Mailbox> mailbox, std::shared_ptr<Workers> workers, Sink& sink)
      : mailbox_(std::move(mailbox)),
        workers_(std::move(workers)),
        sink_(sink),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (!epoll_) throw SystemFailure("epoll_create1");
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.ptr = nullptr;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, mailbox_->bell(), &event) != 0) throw SystemFailure("epoll_ctl");
  }

  const char* name() const override { return "epoll"; }

  void adopt(File& file) override {
    if (!file.is_socket) return;
    const int fd = file.fd->get();
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &file;
    if (::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) throw SystemFailure("fcntl");
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) throw SystemFailure("epoll_ctl");
  }

  void release(File& file) override {
    if (!file.is_socket) return;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, file.fd->get(), nullptr);
    for (int i = 0; i < batch_size_; ++i) {
      if (batch_[i].data.ptr == &file) batch_[i] = {};
    }
  }

  void start(Operation& operation) override {
    operation.active = true;
    operation.cancelling = operation.begun = false;
    operation.key = ++last_key_;
    live_.emplace(operation.key, &operation);
    if (operation.deadline != kNever) deadlines_.emplace(operation.deadline, operation.key);
    if (operation.kind == Kind::read || operation.kind == Kind::write) return hand_over(operation);
    (is_inbound(operation.kind) ? operation.file->in : operation.file->out) = &operation;
    queue(operation);
  }

  void cancel(Operation& operation) override {
    if (!operation.active || operation.cancelling) return;
    operation.cancelling = true;
    ended_.push_back({operation.key, -ECANCELED});
  }

  void run(Clock::time_point until) override {
    const std::uint64_t before = finished_;
    for (std::size_t left = ready_.size(); left > 0; --left) {
      const auto found = live_.find(ready_.front());
      ready_.pop_front();
      if (found == live_.end()) continue;
      found->second->queued = false;
      if (!found->second->cancelling) step(*found->second);
    }
    expire();
    end_ended();
    sink_.before_wait();
    if (!deadlines_.empty()) until = std::min(until, deadlines_.begin()->first);
    // What has finished may be all that is waited for.
    const bool busy = !ready_.empty() || !ended_.empty() || finished_ != before;
    batch_size_ = std::max(0, ::epoll_wait(epoll_.get(), batch_.data(), kBatch, busy ? 0 : wait(until)));
    for (int i = 0; i < batch_size_; ++i) take(batch_[i]);
    batch_size_ = 0;
  }

 private:
  struct Ended {
    std::uint64_t key;
    int result;
  };

  void queue(Operation& operation) {
    if (operation.queued) return;
    operation.queued = true;
    ready_.push_back(operation.key);
  }

  void take(const epoll_event& event) {
    if (event.events == 0) return;
    if (event.data.ptr == nullptr) return mailbox_->silence();
    File& file = *static_cast<File*>(event.data.ptr);
    constexpr std::uint32_t kBoth = EPOLLERR | EPOLLHUP;
    if ((event.events & (EPOLLIN | EPOLLRDHUP | kBoth)) != 0) {
      file.readable = true;
      if (file.in != nullptr) queue(*file.in);
    }
    if ((event.events & (EPOLLOUT | kBoth)) != 0) {
      file.writable = true;
      if (file.out != nullptr) queue(*file.out);
    }
  }

  void step(Operation& operation) {
    switch (operation.kind) {
      case Kind::accept: return accept(operation);
      case Kind::receive: return receive(operation);
      case Kind::receive_from: return receive_from(operation);
      case Kind::connect: return connect(operation);
      default: return send(operation);
    }
  }

  void accept(Operation& operation) {
    File& file = *operation.file;
    for (int i = 0; i < kAcceptsATurn; ++i) {
      if (operation.cancelling || !file.readable) return;
      UniqueFd socket(::accept4(file.fd->get(), nullptr, nullptr, SOCK_CLOEXEC));
      const int error = errno;
      if (socket) {
        sink_.accepted(operation, std::move(socket));
      } else if (error == EAGAIN) {
        file.readable = false;
      } else if (error != EINTR) {
        return finish(operation, -error);
      }
    }
    queue(operation);
  }

  void receive(Operation& operation) {
    File& file = *operation.file;
    for (int i = 0; i < kChunksATurn; ++i) {
      if (operation.cancelling || !file.readable) return;
      const ssize_t got = ::recv(file.fd->get(), chunk_.data(), chunk_.size(), MSG_DONTWAIT);
      const int error = errno;
      if (got > 0) {
        sink_.received(operation, {chunk_.data(), static_cast<std::size_t>(got)});
      } else if (got == 0) {
        return finish(operation, 0);
      } else if (error == EAGAIN) {
        file.readable = false;
      } else if (error != EINTR) {
        return finish(operation, -error);
      }
    }
    queue(operation);
  }

  void receive_from(Operation& operation) {
    File& file = *operation.file;
    for (int i = 0; i < kChunksATurn; ++i) {
      if (operation.cancelling || !file.readable) return;
      sockaddr_storage peer{};
      socklen_t size = sizeof peer;
      const ssize_t got = ::recvfrom(file.fd->get(), datagram_.data(), datagram_.size(), MSG_DONTWAIT,
                                     reinterpret_cast<sockaddr*>(&peer), &size);
      const int error = errno;
      if (got >= 0) {
        sink_.received_from(operation, {datagram_.data(), static_cast<std::size_t>(got)}, peer, size);
      } else if (error == EAGAIN) {
        file.readable = false;
      } else if (error != EINTR) {
        return finish(operation, -error);
      }
    }
    queue(operation);
  }

  void connect(Operation& operation) {
    File& file = *operation.file;
    if (operation.begun) {
      if (!file.writable) return;
      int error = 0;
      socklen_t size = sizeof error;
      if (::getsockopt(file.fd->get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
      return finish(operation, -error);
    }
    // Before it is connected a socket counts as one that can be written to: what was told of that is out of date.
    file.writable = false;
    if (::connect(file.fd->get(), reinterpret_cast<sockaddr*>(&operation.peer), operation.peer_bytes) == 0) {
      file.writable = true;
      return finish(operation, 0);
    }
    operation.begun = errno == EINPROGRESS || errno == EINTR;
    if (operation.begun) return;
    // A Unix socket whose peer has no room for it: nothing will tell when it has.
    if (errno == EAGAIN) return retry(operation);
    finish(operation, -errno);
  }

  void retry(Operation& operation) { deadlines_.emplace(Clock::now() + kRetry, operation.key); }

  void send(Operation& operation) {
    File& file = *operation.file;
    if (!file.writable) return;
    const auto* peer = operation.kind == Kind::send_to ? reinterpret_cast<sockaddr*>(&operation.peer) : nullptr;
    const ssize_t sent = ::sendto(file.fd->get(), operation.data(), operation.size(), MSG_DONTWAIT | MSG_NOSIGNAL, peer,
                                  peer == nullptr ? 0 : operation.peer_bytes);
    if (sent >= 0) return finish(operation, static_cast<int>(sent));
    if (errno == EAGAIN) {
      file.writable = false;
    } else if (errno == EINTR) {
      queue(operation);
    } else {
      finish(operation, -errno);
    }
  }

  // A worker keeps buffer and descriptor, whatever becomes of the operation meanwhile.
  void hand_over(Operation& operation) {
    const bool writes = operation.kind == Kind::write;
    const bool accepted = workers_->run([this, mailbox = mailbox_, key = operation.key, writes, fd = operation.file->fd,
                                         buffer = operation.buffer, done = operation.done, offset = operation.offset] {
      std::uint8_t* data = buffer->data() + done;
      const std::size_t size = std::min<std::size_t>(buffer->size() - done, 1u << 30);
      const auto at = static_cast<off_t>(offset);
      const ssize_t count = writes ? ::pwrite(fd->get(), data, size, at) : ::pread(fd->get(), data, size, at);
      const int result = count >= 0 ? static_cast<int>(count) : -errno;
      // Commands run on the I/O thread while this lives, or not at all.
      mailbox->post([this, key, result] { ended_.push_back({key, result}); });
    });
    if (!accepted) ended_.push_back({operation.key, -EAGAIN});
  }

  void expire() {
    const auto now = Clock::now();
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
      const auto found = live_.find(deadlines_.begin()->second);
      deadlines_.erase(deadlines_.begin());
      if (found == live_.end()) continue;
      Operation& operation = *found->second;
      if (operation.deadline > now) {
        queue(operation);  // only to try again
      } else if (!operation.cancelling) {
        operation.cancelling = true;
        ended_.push_back({operation.key, -ETIME});
      }
    }
  }

  void end_ended() {
    const auto ended = std::exchange(ended_, {});
    for (const Ended& one : ended) {
      const auto found = live_.find(one.key);
      if (found != live_.end()) finish(*found->second, one.result);
    }
  }

  void finish(Operation& operation, int result) {
    ++finished_;
    live_.erase(operation.key);
    File& file = *operation.file;
    if (file.in == &operation) file.in = nullptr;
    if (file.out == &operation) file.out = nullptr;
    operation.active = operation.queued = false;
    if (operation.deadline != kNever) {
      auto [at, end] = deadlines_.equal_range(operation.deadline);
      while (at != end && at->second != operation.key) ++at;
      if (at != end) deadlines_.erase(at);
    }
    sink_.finished(operation, result);
  }

  static int wait(Clock::time_point until) {
    if (until == kNever) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1 << 30));
  }

  std::shared_ptr<Mailbox> mailbox_;
  std::shared_ptr<Workers> workers_;
  Sink& sink_;
  UniqueFd epoll_;
  std::uint64_t last_key_ = 0;
  std::uint64_t finished_ = 0;
  std::unordered_map<std::uint64_t, Operation*> live_;
  std::deque<std::uint64_t> ready_;
  std::vector<Ended> ended_;
  std::multimap<Clock::time_point, std::uint64_t> deadlines_;
  std::array<epoll_event, kBatch> batch_{};
  int batch_size_ = 0;
  std::array<std::uint8_t, kChunk> chunk_;
  std::vector<std::uint8_t> datagram_ = std::vector<std::uint8_t>(kMostDatagram);
};

}  // namespace

std::unique_ptr<Backend> make_epoll(std::shared_ptr<Mailbox> mailbox, std::shared_ptr<Workers> workers, Sink& sink) {
  return std::make_unique<EpollBackend>(std::move(mailbox), std::move(workers), sink);
}

}  // namespace pyisolate::io
