// The payload of `init`, read without Python: it is on the way of every spawn.
#pragma once

#include <cstdint>
#include <span>

#include "confine/privileges.h"
#include "value.h"

namespace pyisolate {

// Views into the payload. What isn't given keeps what it holds.
struct InitRequest {
  Limits limits;
  Budget budget;
  std::span<const std::uint8_t> inputs;     // the CBOR of a map
  std::span<const std::uint8_t> functions;  // the CBOR of an array of texts
  std::span<const std::uint8_t> settings;   // the CBOR of a map for the sandbox's Python half
  std::uint64_t input_count = 0;
  std::uint64_t setting_count = 0;
  std::uint64_t function_count = 0;
};

// What is wrong with it, or null.
const char* read_init(std::span<const std::uint8_t> payload, InitRequest& out);

}  // namespace pyisolate
