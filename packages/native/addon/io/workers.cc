#include "workers.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>

#include <system_error>
#include <thread>
#include <utility>

namespace pyisolate::io {

bool Workers::run(Job job) {
  std::lock_guard guard(lock_);
  if (stopped_ || jobs_.size() >= kMostWaiting) return false;
  if (idle_ <= static_cast<int>(jobs_.size()) && threads_ < kMost) {
    // Signals are Node's.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      std::thread([self = shared_from_this()] { self->work(); }).detach();
      ++threads_;
    } catch (const std::system_error&) {
      // Those there are go on.
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (threads_ == 0) return false;
  }
  jobs_.push_back(std::move(job));
  ready_.notify_one();
  return true;
}

void Workers::stop() {
  std::deque<Job> dropped;
  std::lock_guard guard(lock_);
  stopped_ = true;
  dropped.swap(jobs_);
  ready_.notify_all();
}

void Workers::work() {
  prctl(PR_SET_NAME, "pyisolate-files");
  std::unique_lock guard(lock_);
  for (;;) {
    ++idle_;
    ready_.wait(guard, [this] { return stopped_ || !jobs_.empty(); });
    --idle_;
    if (stopped_) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    guard.unlock();
    job();
    job = nullptr;
    guard.lock();
  }
}

}  // namespace pyisolate::io
