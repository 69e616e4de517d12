// The parts of CBOR (RFC 8949) that this project's writers and readers share.
#pragma once

#include <bit>
#include <cstdint>

namespace pyisolate::cbor {

enum class Major : std::uint8_t {
  unsigned_int = 0,
  negative_int = 1,
  bytes = 2,
  text = 3,
  array = 4,
  map = 5,
  tag = 6,
  simple = 7,
};

inline constexpr std::uint8_t kFalse = 20, kTrue = 21, kNull = 22, kUndefined = 23;
inline constexpr std::uint8_t kFloat16 = 25, kFloat32 = 26, kFloat64 = 27;

inline constexpr std::uint64_t kTagEpoch = 1;   // RFC 8949, 3.4.2
inline constexpr std::uint64_t kTagBignum = 2;  // RFC 8949, 3.4.3
inline constexpr std::uint64_t kTagNegBignum = 3;
inline constexpr std::uint64_t kTagSet = 258;  // IANA registry: a set of distinct items

// Typed arrays cross as little-endian bytes copied straight from memory.
static_assert(std::endian::native == std::endian::little);

}  // namespace pyisolate::cbor
