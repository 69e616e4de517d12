#pragma once

#include <napi.h>

#include <optional>

#include "aead/counted_key.h"

namespace pyisolate {

// The JavaScript `AeadKeyHandle`: `AeadKey` of @pyisolate/interface.
class JsAeadKey final : public Napi::ObjectWrap<JsAeadKey> {
 public:
  static void define(Napi::Env env, Napi::Object exports);

  explicit JsAeadKey(const Napi::CallbackInfo& info);

 private:
  void seal(const Napi::CallbackInfo& info);
  Napi::Value open(const Napi::CallbackInfo& info);
  void seal_many(const Napi::CallbackInfo& info);
  Napi::Value open_many(const Napi::CallbackInfo& info);
  void wipe(const Napi::CallbackInfo&) { key_.reset(); }

  CountedKey& live(const Napi::Env& env);

  std::optional<CountedKey> key_;
};

}  // namespace pyisolate
