#include <linux/membarrier.h>
#include <napi.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "barrier.h"
#include "js_programs.h"
#include "layout.h"

namespace pyisolate::bpf {
namespace {

/// Waits until every BPF program that was running has ended: a grace period of RCU, under which programs run that don't
/// sleep (MEMBARRIER_CMD_GLOBAL is synchronize_rcu, kernel/sched/membarrier.c). Milliseconds.
void grace_period(const Napi::CallbackInfo& info) {
  barrier(info.Env(), [] {
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0) fail("membarrier", errno);
  });
}

/// The clock of bpf_ktime_get_ns.
Napi::Value now(const Napi::CallbackInfo& info) {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return Napi::BigInt::New(info.Env(), static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec);
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("Programs", JsPrograms::define(env));
  exports.Set("gracePeriod", Napi::Function::New<grace_period>(env, "gracePeriod"));
  exports.Set("now", Napi::Function::New<now>(env, "now"));
  return exports;
}

NODE_API_MODULE(pyisolate_bpf, init)

}  // namespace
}  // namespace pyisolate::bpf
