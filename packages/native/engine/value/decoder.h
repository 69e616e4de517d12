// One decoding of one value. Internal to the codec; value.h is its interface.
#pragma once

#include <Python.h>

#include <cstdint>

#include "cbor_reader.h"
#include "py_ref.h"
#include "value.h"

namespace pyisolate {

class Decoder {
 public:
  Decoder(std::span<const std::uint8_t> bytes, const Budget& budget);

  PyObject* whole();  // one value and nothing after it

 private:
  // What a value is to be used as: a key or a set's element must be hashable, so that arrays become
  // tuples and sets frozensets there.
  enum class Use { value, key };

  // decode.cc
  bool take_items(std::uint64_t items);
  PyObject* value(Use use);
  PyObject* simple(const CborReader::Head& head);
  PyObject* text(std::uint64_t size);
  PyObject* malformed(const char* what);
  PyObject* unusable(PyObject* type, std::size_t at, const char* what);

  // decode_container.cc
  bool enter(std::uint64_t count, unsigned values_each);
  PyObject* list(std::uint64_t count);
  PyObject* tuple(std::uint64_t count);
  PyObject* dict(std::uint64_t pairs, Use use);
  PyObject* set(Use use);

  // decode_tagged.cc
  PyObject* tagged(std::uint64_t tag, Use use);
  PyObject* bignum(bool negative);
  PyObject* datetime();
  PyObject* typed_array(std::uint64_t tag, Use use);

  CborReader reader_;
  const Budget& budget_;
  std::uint32_t depth_left_;
  std::uint64_t items_left_;
  // Looked up at the first value that needs them, for this one decoding.
  PyRef datetime_type_, utc_, array_type_;
};

}  // namespace pyisolate
