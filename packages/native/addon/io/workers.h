#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace pyisolate::io {

// Threads for calls that the kernel may hold up: walks of paths, and with epoll reads and writes of files. At most
// kMost of them, made when needed; one that hangs in a call is left behind at the end.
class Workers : public std::enable_shared_from_this<Workers> {
 public:
  using Job = std::function<void()>;

  // False: too many wait already, or no thread can be had.
  bool run(Job job);
  // Jobs that have not begun are dropped.
  void stop();

 private:
  static constexpr int kMost = 16;
  static constexpr std::size_t kMostWaiting = 4096;
  void work();

  std::mutex lock_;
  std::condition_variable ready_;
  std::deque<Job> jobs_;
  int threads_ = 0;
  int idle_ = 0;
  bool stopped_ = false;
};

}  // namespace pyisolate::io
