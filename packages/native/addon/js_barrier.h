#pragma once

#include <napi.h>

#include <cstdint>
#include <initializer_list>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "js_state.h"
#include "seal/algorithms.h"
#include "system_failure.h"

namespace pyisolate {

// The one way out of native code: runs `body` and turns what it throws into JavaScript errors.
template <typename Body>
auto guarded(Napi::Env env, Body&& body) {
  try {
    return body();
  } catch (const SystemFailure& failure) {
    auto& made = JsState::of(env).system_error;
    const auto call = Napi::String::New(env, failure.what());
    const auto error = Napi::Number::New(env, failure.error());
    if (made.IsEmpty())
      throw Napi::Error::New(env, std::string(failure.what()) + ": errno " + std::to_string(failure.error()));
    throw Napi::Error(env, made.New({call, error}));
  } catch (const seal::KeyRestored& failure) {
    auto& made = JsState::of(env).key_restored_error;
    if (made.IsEmpty()) throw Napi::Error::New(env, failure.what());
    throw Napi::Error(env, made.New({}));
  } catch (const seal::CryptoFailure& failure) {
    throw Napi::Error::New(env, std::string("libcrypto failed: ") + failure.what());
  } catch (const std::bad_alloc&) {
    throw Napi::Error::New(env, "out of memory");
  }
}

// Arguments: each throws a TypeError that names what was wrong.
std::uint32_t need_uint32(const Napi::Value& value, const char* what, double low, double high);
double need_number(const Napi::Value& value, const char* what);
std::string need_string(const Napi::Value& value, const char* what);
Napi::Object need_object(const Napi::Value& value, const char* what);
// A Uint8Array's own, not a copy.
std::span<const std::uint8_t> need_bytes(const Napi::Value& value, const char* what);
Napi::Function need_function(const Napi::Object& from, const char* name);
std::vector<std::string> need_strings(const Napi::Object& from, const char* name);

// Calls a listener. What it throws becomes an uncaught exception, as from any event handler.
void call_listener(napi_env env, napi_value self, napi_value function, std::size_t count, const napi_value* arguments);
void call_listener(napi_env env, napi_value self, const char* name, std::span<const napi_value> arguments);

// Makes values for listeners. Never throws, as node-addon-api's wrappers would in an environment that is being
// torn down: events still arrive there, but JavaScript can't be called any more.
class JsValues {
 public:
  explicit JsValues(napi_env env) : env_(env) {}
  napi_value number(double value) const;
  napi_value text(std::string_view value) const;
  napi_value boolean(bool value) const;
  napi_value null() const;
  napi_value object(std::initializer_list<std::pair<const char*, napi_value>> fields) const;

 private:
  napi_env env_;
};

}  // namespace pyisolate
