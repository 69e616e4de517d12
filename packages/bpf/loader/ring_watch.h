#pragma once
#include <napi.h>

#include <thread>

namespace pyisolate::bpf {

/// Calls a function on the event loop when a ring buffer has got events, from a thread that sleeps until then. It keeps
/// no event loop alive.
class RingWatch {
 public:
  /// The map's descriptor stays the caller's, who closes it after this.
  RingWatch(Napi::Env env, int map, const Napi::Function& listener);
  ~RingWatch();
  RingWatch(const RingWatch&) = delete;

 private:
  void wait();

  int stop_ = -1;
  int poll_ = -1;
  Napi::ThreadSafeFunction listener_;
  std::thread thread_;
};

}  // namespace pyisolate::bpf
