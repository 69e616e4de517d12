#pragma once
#include <napi.h>

#include <exception>

#include "failure.h"

namespace pyisolate::bpf {

/// Calls `body`; a Failure becomes a JavaScript error with `call`, `errno` and `log`, which src/ makes typed errors of.
template <typename Body>
auto barrier(Napi::Env env, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const Failure& failure) {
    auto error = Napi::Error::New(env, failure.call);
    error.Set("call", Napi::String::New(env, failure.call));
    error.Set("errno", Napi::Number::New(env, failure.error));
    error.Set("log", Napi::String::New(env, failure.log));
    throw error;
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Napi::Error::New(env, error.what());
  }
}

}  // namespace pyisolate::bpf
