#pragma once

#include <napi.h>

#include <memory>

#include "zygote.h"

namespace pyisolate {

// The JavaScript `ZygoteHandle`.
class JsZygote final : public Napi::ObjectWrap<JsZygote> {
 public:
  static void define(Napi::Env env);
  static Napi::Value launch(const Napi::CallbackInfo& info);

  explicit JsZygote(const Napi::CallbackInfo& info);

 private:
  Napi::Value pid(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), zygote_->pid()); }
  Napi::Value fork(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo&) { zygote_->close(); }
  void kill(const Napi::CallbackInfo&) { zygote_->kill(); }
  void ref(const Napi::CallbackInfo&) { zygote_->ref(); }
  void unref(const Napi::CallbackInfo&) { zygote_->unref(); }

  std::shared_ptr<Zygote> zygote_;
};

}  // namespace pyisolate
