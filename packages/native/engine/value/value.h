// Values between the supervisor and a guest: CBOR (RFC 8949, typed arrays of RFC 8746, sets as
// tag 258) to CPython objects and back.
//
// Both functions need an attached thread state and keep no state of their own, so they work in any
// interpreter and from many threads at once. They never import a module before a value needs it.
#pragma once

#include <Python.h>

#include <cstdint>
#include <span>
#include <vector>

namespace pyisolate {

struct Budget {
  std::uint32_t depth = 64;         // containers inside containers; never more than kMaxDepth
  std::uint64_t items = 1'000'000;  // every value counts, keys and containers too; tags don't
  std::uint64_t bytes = 64u << 20;  // of the encoded value
};

// Recursion follows a value's nesting on the C stack, so a budget can't ask for more than this.
inline constexpr std::uint32_t kMaxDepth = 1024;

// Appends `value` to `out`. On failure `out` is as it was and a Python exception is set, its text
// naming the path ("value at $['rows'][3]: a function can't cross to the host"): TypeError for what
// has no encoding, ValueError for content that has none, RecursionError for depth and cycles,
// OverflowError for the items and bytes budgets, MemoryError.
// Subclasses are encoded by the content of their base, past any override; guest code runs only for a
// datetime's tzinfo and for the hashes of an OrderedDict's keys.
bool encode_value(PyObject* value, const Budget& budget, std::vector<std::uint8_t>& out);

// A new reference, or null with an exception set: ValueError for malformed bytes (a bug of the
// sender), TypeError for what Python can't hold (a dict as a key), RecursionError and OverflowError
// for budgets, MemoryError. `bytes` must hold exactly one value.
PyObject* decode_value(std::span<const std::uint8_t> bytes, const Budget& budget);

}  // namespace pyisolate
