#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "call.h"

namespace pyisolate::broker {

// The supervisor's broker: threads that wait on the seccomp listeners of all sandboxes (seccomp_unotify(2)), decide
// each call by the policy in force, make it themselves and hand the guest the result. The kernel is never told to go on
// with a call that was looked at: its arguments may change meanwhile.
//
// Fairness: a sandbox has its turn after the others that wait, and keeps at most kBusyEach threads busy, so that
// neither a flood nor a file system that hangs holds up anybody else. One broker per process; every method from any
// thread.
class Broker {
 public:
  static Broker& instance();

  // Takes a sandbox in; its calls wait until it has a policy. Throws SystemFailure.
  std::shared_ptr<Client> add(UniqueFd listener, UniqueFd pidfd, std::shared_ptr<Events> events);
  // One whose calls the kernel doesn't send here: what it asks for by itself is decided by a policy all the same.
  std::shared_ptr<Client> add_asking(std::shared_ptr<Events> events);
  // Lets it go: with its listener closed, calls of what is left of it fail with ENOSYS.
  void remove(std::uint64_t client);
  // Answers what it waits for with EINTR, as a signal is on its way to it.
  void interrupt(std::uint64_t client);

 private:
  static constexpr int kBusyEach = 2;
  static constexpr int kMostThreads = 16;
  static constexpr int kLongestWaits = 64;  // of one sandbox, at once: each holds a descriptor of ours

  struct Waiting {
    std::shared_ptr<Client> client;
    std::uint64_t notification;
    UniqueFd socket;
    std::function<Answer(UniqueFd)> later;
  };

  Broker();
  void run();
  void spare_thread();
  void serve(const std::shared_ptr<Client>& client);
  void arm(const Client& client);
  void wait(std::shared_ptr<Client> client, std::uint64_t notification, Answer answer);
  void resume(std::uint64_t key);
  std::vector<Waiting> take_waiting(std::uint64_t client);

  UniqueFd epoll_;
  std::mutex lock_;
  std::uint64_t next_ = 1;
  std::unordered_map<std::uint64_t, std::shared_ptr<Client>> clients_;
  std::unordered_map<std::uint64_t, Waiting> waiting_;
  std::atomic<int> threads_{0};
  std::atomic<int> idle_{0};
};

}  // namespace pyisolate::broker
