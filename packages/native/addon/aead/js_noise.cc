#include "aead/js_noise.h"

#include <cstring>

#include "js_barrier.h"
#include "seal/noise.h"

namespace pyisolate {
namespace {

seal::Point need_point(const Napi::Value& value, const char* what) {
  const auto bytes = need_bytes(value, what);
  if (bytes.size() != seal::kPointBytes)
    throw Napi::RangeError::New(value.Env(), std::string(what) + " must have 32 bytes");
  seal::Point point;
  std::memcpy(point.data(), bytes.data(), point.size());
  return point;
}

Napi::Value give(Napi::Env env, seal::Bytes bytes) {
  return Napi::Buffer<std::uint8_t>::Copy(env, bytes.data(), bytes.size());
}

Napi::Value agree(const Napi::CallbackInfo& info) {
  const auto secret = need_point(info[0], "secret"), theirs = need_point(info[1], "theirs");
  seal::Point shared;
  const bool sound = guarded(info.Env(), [&] { return seal::KeyPair::from(secret).agree(theirs, shared); });
  return sound ? give(info.Env(), shared) : info.Env().Undefined();
}

Napi::Value respond(const Napi::CallbackInfo& info) {
  const auto secret = need_point(info[0], "secret");
  const auto hello = need_bytes(info[2], "hello");
  const auto form = hello.size() == seal::kPointBytes ? seal::Form::plain : seal::Form::hybrid;
  const auto prologue = need_bytes(info[1], "prologue");
  std::vector<std::uint8_t> answer;
  seal::SessionKeys session;
  const bool sound = guarded(
      info.Env(), [&] { return seal::respond(form, seal::KeyPair::from(secret), prologue, hello, answer, session); });
  if (!sound) return info.Env().Undefined();
  auto result = Napi::Object::New(info.Env());
  result.Set("answer", give(info.Env(), answer));
  result.Set("toResponder", give(info.Env(), session.to_responder));
  result.Set("toInitiator", give(info.Env(), session.to_initiator));
  return result;
}

}  // namespace

void define_noise(Napi::Env env, Napi::Object exports) {
  exports.Set("hasKem", Napi::Boolean::New(env, guarded(env, [] { return seal::has_kem(); })));
  exports.Set("agree", Napi::Function::New<&agree>(env, "agree"));
  exports.Set("respond", Napi::Function::New<&respond>(env, "respond"));
}

}  // namespace pyisolate
