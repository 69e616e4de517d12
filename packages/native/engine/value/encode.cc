#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <new>

#include "encoder.h"
#include "py_ref.h"

namespace pyisolate {

bool encode_value(PyObject* value, const Budget& budget, std::vector<std::uint8_t>& out) {
  const std::size_t start = out.size();
  bool done = false;
  try {
    Encoder encoder(budget, out);
    done = encoder.whole(value);
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  }
  if (!done) out.resize(start);
  return done;
}

Encoder::Encoder(const Budget& budget, std::vector<std::uint8_t>& out)
    : writer_(out),
      budget_(budget),
      start_(out.size()),
      max_depth_(std::min(budget.depth, kMaxDepth)),
      items_left_(budget.items) {}

bool Encoder::whole(PyObject* value) { return take_items(1, nullptr) && encode(value, nullptr) && room(0, nullptr); }

bool Encoder::encode(PyObject* value, const Step* at) {
  // Heads may overrun the budget by some bytes before the next look, which payloads never do.
  if (!room(0, at)) return false;
  PyTypeObject* const type = Py_TYPE(value);
  if (type == &PyUnicode_Type) return text(value, at);
  if (type == &PyLong_Type) return integer(value, at);
  if (type == &PyDict_Type) return dict(value, at);
  if (type == &PyList_Type) return list(value, at);
  if (type == &PyFloat_Type) {
    writer_.float64(PyFloat_AS_DOUBLE(value));
    return true;
  }
  if (type == &PyBool_Type) {
    writer_.boolean(value == Py_True);
    return true;
  }
  if (value == Py_None) {
    writer_.null();
    return true;
  }
  return encode_subclass(value, at);
}

bool Encoder::encode_subclass(PyObject* value, const Step* at) {
  if (PyBytes_Check(value)) return bytes(PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value), at);
  if (PyTuple_Check(value)) return tuple(value, value, Step::Kind::index, at);
  if (PyUnicode_Check(value)) return text(value, at);
  if (PyLong_Check(value)) return integer(value, at);
  if (PyDict_Check(value)) return dict(value, at);
  if (PyList_Check(value)) return list(value, at);
  if (PyFloat_Check(value)) {
    writer_.float64(PyFloat_AS_DOUBLE(value));
    return true;
  }
  if (PyAnySet_Check(value)) return set(value, at);
  if (PyByteArray_Check(value)) return byte_array(value, at);
  if (PyMemoryView_Check(value)) {
    return typed_array(value, PyMemoryView_Type.tp_as_buffer, at);
  }
  if (PyTypeObject* base = library_base(Py_TYPE(value), "datetime.datetime")) {
    return datetime(value, base, at);
  }
  if (PyTypeObject* base = library_base(Py_TYPE(value), "array.array")) {
    return typed_array(value, base->tp_as_buffer, at);
  }
  return refuse(value, at);
}

PyTypeObject* library_base(PyTypeObject* type, const char* name) {
  for (; type != nullptr; type = type->tp_base) {
    const bool immutable = (PyType_GetFlags(type) & Py_TPFLAGS_IMMUTABLETYPE) != 0;
    if (immutable && std::strcmp(type->tp_name, name) == 0) return type;
  }
  return nullptr;
}

bool Encoder::affordable(std::uint64_t items, const Step* at) {
  return items <= items_left_ || fail(PyExc_OverflowError, at, "the whole holds more than %llu values",
                                      static_cast<unsigned long long>(budget_.items));
}

bool Encoder::take_items(std::uint64_t items, const Step* at) {
  if (!affordable(items, at)) return false;
  items_left_ -= items;
  return true;
}

bool Encoder::room(std::uint64_t more, const Step* at) {
  const std::uint64_t used = writer_.out().size() - start_;
  if (used <= budget_.bytes && more <= budget_.bytes - used) return true;
  return fail(PyExc_OverflowError, at, "the whole takes more than %llu bytes",
              static_cast<unsigned long long>(budget_.bytes));
}

bool Encoder::refuse(PyObject* value, const Step* at) {
  return fail(PyExc_TypeError, at, "%s can't cross to the host", kind_text(value).c_str());
}

bool Encoder::fail(PyObject* type, const Step* at, const char* format, ...) {
  const std::string path = path_text(at);
  char why[256];
  std::va_list args;
  va_start(args, format);
  std::vsnprintf(why, sizeof why, format, args);
  va_end(args);
  // A guest's type name may have been cut inside a character.
  const PyRef reason(PyUnicode_DecodeUTF8(why, static_cast<Py_ssize_t>(std::strlen(why)), "replace"));
  if (reason) PyErr_Format(type, "value at %s: %U", path.c_str(), reason.get());
  return false;
}

}  // namespace pyisolate
