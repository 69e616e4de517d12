#pragma once

#include <future>
#include <memory>
#include <string>
#include <thread>

#include "../loop.h"
#include "driver.h"

namespace pyisolate::io {

// Told what has happened, on the loop's thread.
class IoEvents {
 public:
  virtual ~IoEvents() = default;
  virtual void reports(std::vector<Report> reports) = 0;
};

enum class Choice : std::uint8_t { any, uring, epoll };

// An I/O thread as its environment sees it: everything is posted to it, and answered by reports. Loop thread only.
class Io final : public std::enable_shared_from_this<Io>, public LoopResident, public Watcher {
 public:
  // Throws SystemFailure: nothing that was asked for can be had.
  static std::shared_ptr<Io> create(std::shared_ptr<Loop> loop, Choice choice, std::unique_ptr<IoEvents> events);
  ~Io() override;

  const std::string& backend() const { return backend_; }
  // Why it isn't io_uring, though that would have been taken; 0 if it is, or wasn't asked for.
  int refusal() const { return refusal_; }
  const Counters& counters() const { return *counters_; }

  std::uint64_t next_handle() { return next_handle_->fetch_add(1); }
  std::uint64_t next_operation() { return ++last_operation_; }
  // Runs `command` on the I/O thread with its driver; dropped once this is shut down.
  void post(std::function<void(Driver&)> command);

  void ref();
  void unref();
  // Ends everything that is under way; nothing is reported any more.
  void shut_down() override;
  void on_events(std::uint32_t events) override;

 private:
  struct Started {
    std::string backend;
    int refusal = 0;
    int error = 0;
    const char* call = "";
  };

  Io(std::shared_ptr<Loop> loop, std::unique_ptr<IoEvents> events);
  void main(Choice choice, std::promise<Started> started);

  std::shared_ptr<Loop> loop_;
  std::unique_ptr<IoEvents> events_;
  std::shared_ptr<Mailbox> mailbox_;
  std::shared_ptr<Workers> workers_;
  std::shared_ptr<Outbox> outbox_;
  std::shared_ptr<Counters> counters_;
  std::shared_ptr<std::atomic<std::uint64_t>> next_handle_;
  std::unique_ptr<Driver> driver_;
  std::thread thread_;
  std::string backend_;
  int refusal_ = 0;
  std::uint64_t last_operation_ = 0;
  bool referenced_ = false;
  bool open_ = false;
};

}  // namespace pyisolate::io
