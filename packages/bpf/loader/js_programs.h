#pragma once
#include <napi.h>

#include <memory>

#include "programs.h"
#include "ring_events.h"
#include "ring_watch.h"

namespace pyisolate::bpf {

/// `Programs` for JavaScript (src/internal/addon.ts has the types). Main thread of its environment only.
class JsPrograms : public Napi::ObjectWrap<JsPrograms> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit JsPrograms(const Napi::CallbackInfo& info);

 private:
  void attach(const Napi::CallbackInfo& info);
  void attach_cgroup(const Napi::CallbackInfo& info);
  void pin(const Napi::CallbackInfo& info);
  void update(const Napi::CallbackInfo& info);
  void remove(const Napi::CallbackInfo& info);
  Napi::Value lookup(const Napi::CallbackInfo& info);
  Napi::Value label(const Napi::CallbackInfo& info);
  void store_active(const Napi::CallbackInfo& info);
  Napi::Value read_sandbox(const Napi::CallbackInfo& info);
  void write_sandbox(const Napi::CallbackInfo& info);
  void load_contract(const Napi::CallbackInfo& info);
  Napi::Value drain(const Napi::CallbackInfo& info);
  void watch(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);
  Napi::Value map_descriptor(const Napi::CallbackInfo& info);
  void send_to_itself(const Napi::CallbackInfo& info);

  Programs& programs(Napi::Env env) const;

  std::unique_ptr<Programs> programs_;
  std::unique_ptr<Events> events_;
  std::unique_ptr<RingWatch> watch_;
};

}  // namespace pyisolate::bpf
