// Appends CBOR to a byte vector; knows nothing of Python. Heads are always the shortest form.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "cbor.h"

namespace pyisolate {

class CborWriter {
 public:
  explicit CborWriter(std::vector<std::uint8_t>& out) : out_(out) {}

  std::vector<std::uint8_t>& out() { return out_; }

  void head(cbor::Major major, std::uint64_t value) {
    const auto type = static_cast<std::uint8_t>(static_cast<unsigned>(major) << 5);
    if (value < 24) {
      out_.push_back(static_cast<std::uint8_t>(type | value));
    } else if (value <= 0xff) {
      big_endian(static_cast<std::uint8_t>(type | 24), value, 1);
    } else if (value <= 0xffff) {
      big_endian(static_cast<std::uint8_t>(type | 25), value, 2);
    } else if (value <= 0xffff'ffff) {
      big_endian(static_cast<std::uint8_t>(type | 26), value, 4);
    } else {
      big_endian(static_cast<std::uint8_t>(type | 27), value, 8);
    }
  }

  void array(std::uint64_t count) { head(cbor::Major::array, count); }
  void map(std::uint64_t pairs) { head(cbor::Major::map, pairs); }
  void tag(std::uint64_t number) { head(cbor::Major::tag, number); }
  void boolean(bool value) { simple(value ? cbor::kTrue : cbor::kFalse); }
  void null() { simple(cbor::kNull); }
  void unsigned_integer(std::uint64_t value) { head(cbor::Major::unsigned_int, value); }

  void integer(std::int64_t value) {
    if (value >= 0) {
      head(cbor::Major::unsigned_int, static_cast<std::uint64_t>(value));
    } else {
      head(cbor::Major::negative_int, ~static_cast<std::uint64_t>(value));  // -1 - value
    }
  }

  // Every NaN is written as the one quiet NaN, so that equal values have equal bytes.
  void float64(double value) {
    const std::uint64_t bits = std::isnan(value) ? 0x7ff8'0000'0000'0000 : std::bit_cast<std::uint64_t>(value);
    big_endian(0xe0 | cbor::kFloat64, bits, 8);
  }

  // `value` must be UTF-8.
  void text(std::string_view value) {
    head(cbor::Major::text, value.size());
    append(value.data(), value.size());
  }

  void bytes(std::span<const std::uint8_t> value) {
    head(cbor::Major::bytes, value.size());
    append(value.data(), value.size());
  }

  // Payload of a head already written.
  void append(const void* data, std::size_t size) {
    const auto* first = static_cast<const std::uint8_t*>(data);
    out_.insert(out_.end(), first, first + size);
  }

 private:
  void simple(std::uint8_t value) { out_.push_back(0xe0 | value); }

  void big_endian(std::uint8_t initial, std::uint64_t value, unsigned size) {
    std::uint8_t encoded[9] = {initial};
    for (unsigned i = 0; i < size; ++i) {
      encoded[size - i] = static_cast<std::uint8_t>(value >> (8 * i));
    }
    out_.insert(out_.end(), encoded, encoded + 1 + size);
  }

  std::vector<std::uint8_t>& out_;
};

}  // namespace pyisolate
