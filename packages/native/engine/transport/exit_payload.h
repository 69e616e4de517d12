// The payload of an `exit` frame: the last word of a sandbox or a cell.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cbor_writer.h"

namespace pyisolate {

inline std::vector<std::uint8_t> exit_payload(const char* kind, int code, const std::string& message) {
  std::vector<std::uint8_t> bytes;
  CborWriter cbor(bytes);
  cbor.map(3);
  cbor.text("kind"), cbor.text(kind);
  cbor.text("code"), cbor.integer(code);
  cbor.text("message"), cbor.text(message);
  return bytes;
}

}  // namespace pyisolate
