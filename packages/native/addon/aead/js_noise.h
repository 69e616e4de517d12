#pragma once

#include <napi.h>

namespace pyisolate {

// The parts of a sealed ring's handshake by themselves, under secrets that are given: for tests that hold them to
// published vectors. `agree(secret, theirs)` and `respond(secret, prologue, hello)`.
void define_noise(Napi::Env env, Napi::Object exports);

}  // namespace pyisolate
