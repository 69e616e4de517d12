#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include "look_out.h"
#include "process.h"
#include "seal/x25519.h"
#include "unique_fd.h"
#include "uv_lite.h"

namespace pyisolate {

class Denials;

// Told about events of a descriptor. Events are edge-triggered: read until there is nothing left.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void on_events(std::uint32_t events) = 0;
};

// Work that was cut short for fairness, or that must not run inside the current JavaScript call.
class Deferred {
 public:
  virtual ~Deferred() = default;
  virtual void run_deferred() = 0;
  bool deferred = false;
};

// What lives and dies with a Loop.
class LoopResident {
 public:
  virtual ~LoopResident() = default;
  // The environment goes away: kill and reap at once, call nobody.
  virtual void shut_down() = 0;
};

// One per Node environment (main thread or worker). All descriptors hang in one epoll instance that libuv
// watches through a single uv_poll: taking in or dropping a sandbox is then one epoll_ctl each, where a
// handle of its own costs a registration, a close callback and, at a wake-up, a read to reset its eventfd.
class Loop : public std::enable_shared_from_this<Loop> {
 public:
  // Throws SystemFailure.
  static std::shared_ptr<Loop> create(uv_loop_s* uv);
  ~Loop();

  void watch(int fd, std::uint32_t events, Watcher& watcher);  // throws SystemFailure
  void change(int fd, std::uint32_t events, Watcher& watcher);
  void unwatch(int fd, Watcher& watcher);

  // Runs `work` on the next turn of the loop, after other events had their chance.
  void defer(Deferred& work);
  void cancel(Deferred& work);

  // Sandboxes that keep the event loop alive.
  void ref();
  void unref();

  // Waits for a killed child nobody is interested in any more.
  void reap_later(UniqueFd pidfd, pid_t pid);
  // Kills and reaps children in a zygote's session that we were not told about; false if it can't look.
  bool sweep_orphans(pid_t session);

  // Made when the first brokered sandbox comes. Throws SystemFailure.
  Denials& denials();

  // A key pair for the next sandbox: the one made ahead, or a new one. Throws seal::CryptoFailure.
  seal::KeyPair take_keys();
  // Makes the next pair once nothing is being spawned any more: whoever waits for a sandbox doesn't wait for this.
  void prepare_keys();

  LookOut& look_out() { return *look_out_; }

  void add(std::shared_ptr<LoopResident> resident) { residents_.insert(std::move(resident)); }
  void remove(const std::shared_ptr<LoopResident>& resident) { residents_.erase(resident); }
  void note_pid(pid_t pid) { pids_.insert(pid); }
  void forget_pid(pid_t pid) { pids_.erase(pid); }

  // Ends everything; `closed` runs when libuv has let go of the handles.
  void shut_down(std::function<void()> closed);
  bool running() const { return running_; }

 private:
  Loop() = default;
  void dispatch();
  void run_deferred();
  static void on_closed(uv_handle_s* handle);
  uv_handle_s* poll_handle() const { return reinterpret_cast<uv_handle_s*>(poll_); }
  uv_handle_s* idle_handle() const { return reinterpret_cast<uv_handle_s*>(idle_); }
  uv_handle_s* timer_handle() const { return reinterpret_cast<uv_handle_s*>(timer_); }

  static constexpr int kBatch = 64;
  UniqueFd epoll_;
  uv_poll_s* poll_ = nullptr;  // these three allocated by size; freed once closed
  uv_idle_s* idle_ = nullptr;
  uv_timer_s* timer_ = nullptr;
  std::unique_ptr<LookOut> look_out_;
  int open_handles_ = 0;
  int refs_ = 0;
  bool running_ = false;
  std::array<epoll_event, kBatch> batch_{};
  int batch_size_ = 0;
  std::vector<Deferred*> deferred_;
  std::vector<Deferred*> current_;
  std::unordered_set<std::shared_ptr<LoopResident>> residents_;
  std::unordered_set<pid_t> pids_;
  std::unique_ptr<Denials> denials_;
  std::optional<seal::KeyPair> keys_;
  std::function<void()> closed_;
  std::shared_ptr<Loop> self_;  // while libuv holds pointers to us
};

}  // namespace pyisolate
