// The typed arrays of RFC 8746 that both Python's array module and JavaScript have.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pyisolate {

struct TypedArray {
  std::uint64_t tag;
  char typecode;  // of array.array, for decoding
  std::size_t item_bytes;
};

// For a struct-module format of one native item ('i', '@i', '<i'), or null. `l` and `L` are told apart
// by their size, which differs between the native and the standard formats.
const TypedArray* typed_array_of_format(const char* format, std::ptrdiff_t item_bytes);

const TypedArray* typed_array_of_tag(std::uint64_t tag);

}  // namespace pyisolate
