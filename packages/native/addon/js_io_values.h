#pragma once

#include <napi.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "io/backend.h"
#include "js_barrier.h"

namespace pyisolate {

struct Place {
  sockaddr_storage address{};
  socklen_t bytes = 0;
};

// What an operation of an I/O thread is given. Each throws Napi::TypeError.

// {host, port} with a number for a host, or {path}; a leading @ makes that abstract.
Place need_place(const Napi::Value& value);
std::uint64_t need_integer(const Napi::Value& value, const char* what);
// In milliseconds from now; Infinity for none.
io::Clock::time_point need_deadline(const Napi::Value& value);
// A copy, for the thread.
std::vector<std::uint8_t> need_payload(const Napi::Value& value);

// What an operation gives: its number; with that of its handle before it.
Napi::Value operation(const Napi::CallbackInfo& info, std::uint64_t id);
Napi::Value operation(const Napi::CallbackInfo& info, std::uint64_t handle, std::uint64_t id);

}  // namespace pyisolate
