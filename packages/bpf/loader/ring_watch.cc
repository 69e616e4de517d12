#include "ring_watch.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "failure.h"

namespace pyisolate::bpf {
namespace {

enum Source : uint32_t { kRing, kStop };

void watch(int poll, int fd, uint32_t events, Source source) {
  epoll_event event{};
  event.events = events;
  event.data.u32 = source;
  if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl", errno);
}

}  // namespace

RingWatch::RingWatch(Napi::Env env, int map, const Napi::Function& listener) {
  stop_ = eventfd(0, EFD_CLOEXEC);
  poll_ = epoll_create1(EPOLL_CLOEXEC);
  if (stop_ < 0 || poll_ < 0) fail("eventfd", errno);
  // Edge-triggered: the listener empties the ring, which a level would ring for again until it has.
  watch(poll_, map, EPOLLIN | EPOLLET, kRing);
  watch(poll_, stop_, EPOLLIN, kStop);
  listener_ = Napi::ThreadSafeFunction::New(env, listener, "pyisolate BPF events", 1, 1);
  listener_.Unref(env);
  // Signals are the event loop's thread's business.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { wait(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), "pyisolate-bpf");
}

RingWatch::~RingWatch() {
  if (thread_.joinable()) {
    const uint64_t one = 1;
    (void)!write(stop_, &one, sizeof one);
    thread_.join();
    listener_.Release();
  }
  if (poll_ >= 0) close(poll_);
  if (stop_ >= 0) close(stop_);
}

void RingWatch::wait() {
  for (;;) {
    epoll_event event;
    const int count = epoll_wait(poll_, &event, 1, -1);
    if (count < 0 && errno != EINTR) return;
    if (count != 1) continue;
    if (event.data.u32 == kStop) return;
    // A full queue of one call: the listener that waits there will see these events, too.
    listener_.NonBlockingCall();
  }
}

}  // namespace pyisolate::bpf
