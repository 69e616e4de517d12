// One encoding of one value: the budgets, the path, and a method per kind of value.
// Internal to the codec; value.h is its interface.
#pragma once

#include <Python.h>

#include <cstdint>
#include <vector>

#include "cbor_writer.h"
#include "path.h"
#include "value.h"

namespace pyisolate {

class Encoder {
 public:
  Encoder(const Budget& budget, std::vector<std::uint8_t>& out);

  // False with a Python exception set. The caller holds a reference to `value` meanwhile.
  bool whole(PyObject* value);

 private:
  // encode.cc
  bool encode(PyObject* value, const Step* at);
  bool encode_subclass(PyObject* value, const Step* at);
  bool affordable(std::uint64_t items, const Step* at);
  bool take_items(std::uint64_t items, const Step* at);
  bool room(std::uint64_t more, const Step* at);
  bool fail(PyObject* type, const Step* at, const char* format, ...) __attribute__((format(printf, 4, 5)));
  bool refuse(PyObject* value, const Step* at);

  // encode_scalar.cc
  bool integer(PyObject* value, const Step* at);
  bool big_integer(PyObject* value, const Step* at);
  bool text(PyObject* value, const Step* at);
  bool bytes(const void* data, Py_ssize_t size, const Step* at);

  // encode_container.cc
  bool list(PyObject* value, const Step* at);
  bool tuple(PyObject* items, PyObject* container, Step::Kind kind, const Step* at);
  bool set(PyObject* value, const Step* at);
  bool dict(PyObject* value, const Step* at);
  bool enter(PyObject* container, std::uint64_t children, const Step* at);
  bool distinct(const std::vector<std::size_t>& ends, const Step* at, const char* what);

  // encode_buffer.cc
  bool byte_array(PyObject* value, const Step* at);
  bool typed_array(PyObject* value, const PyBufferProcs* base, const Step* at);

  // encode_temporal.cc
  bool datetime(PyObject* value, PyTypeObject* base, const Step* at);

  CborWriter writer_;
  const Budget& budget_;
  const std::size_t start_;
  const std::uint32_t max_depth_;
  std::uint32_t depth_ = 0;
  std::uint64_t items_left_;
};

// The base of `type` that the standard library itself defines under `name`: guests can't make
// immutable types. Found by name so that no module has to be imported, nor kept for each interpreter.
PyTypeObject* library_base(PyTypeObject* type, const char* name);

}  // namespace pyisolate
