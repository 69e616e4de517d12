#pragma once

#include <napi.h>

namespace pyisolate {

// What the broker's parts answer by themselves, for tests that hold them to the meaning of a policy and to hostile
// input: `decide(table, operation)`, `runContracts(program, task)` and `decodeCall(number, args, memory)`.
void define_broker(Napi::Env env, Napi::Object exports);

}  // namespace pyisolate
