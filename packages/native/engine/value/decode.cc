#include <algorithm>

#include "decoder.h"

namespace pyisolate {

using cbor::Major;

PyObject* decode_value(std::span<const std::uint8_t> bytes, const Budget& budget) {
  if (bytes.size() > budget.bytes) {
    PyErr_Format(PyExc_OverflowError, "value of %zu bytes: the limit is %llu bytes", bytes.size(),
                 static_cast<unsigned long long>(budget.bytes));
    return nullptr;
  }
  return Decoder(bytes, budget).whole();
}

Decoder::Decoder(std::span<const std::uint8_t> bytes, const Budget& budget)
    : reader_(bytes), budget_(budget), depth_left_(std::min(budget.depth, kMaxDepth)), items_left_(budget.items) {}

PyObject* Decoder::whole() {
  if (!take_items(1)) return nullptr;
  PyRef result(value(Use::value));
  if (result && reader_.remaining() != 0) return malformed("more bytes follow the value");
  return result.release();
}

bool Decoder::take_items(std::uint64_t items) {
  if (items > items_left_) {
    PyErr_Format(PyExc_OverflowError, "value at byte %zu: the whole holds more than %llu values", reader_.offset(),
                 static_cast<unsigned long long>(budget_.items));
    return false;
  }
  items_left_ -= items;
  return true;
}

PyObject* Decoder::value(Use use) {
  CborReader::Head head;
  if (!reader_.head(head)) return malformed(nullptr);
  switch (head.major) {
    case Major::unsigned_int: return PyLong_FromUnsignedLongLong(head.value);
    case Major::negative_int: {
      if (head.value <= static_cast<std::uint64_t>(INT64_MAX)) {
        return PyLong_FromLongLong(-1 - static_cast<std::int64_t>(head.value));
      }
      const PyRef below(PyLong_FromUnsignedLongLong(head.value));
      return below ? PyNumber_Invert(below.get()) : nullptr;
    }
    case Major::bytes: {
      std::span<const std::uint8_t> content;
      if (!reader_.payload(head.value, content)) return malformed(nullptr);
      return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(content.data()),
                                       static_cast<Py_ssize_t>(content.size()));
    }
    case Major::text: return text(head.value);
    case Major::array: return use == Use::key ? tuple(head.value) : list(head.value);
    case Major::map: return dict(head.value, use);
    case Major::tag: return tagged(head.value, use);
    case Major::simple: return simple(head);
  }
  Py_UNREACHABLE();
}

PyObject* Decoder::simple(const CborReader::Head& head) {
  if (CborReader::is_float(head)) return PyFloat_FromDouble(CborReader::float_of(head));
  switch (head.value) {
    case cbor::kFalse: Py_RETURN_FALSE;
    case cbor::kTrue: Py_RETURN_TRUE;
    case cbor::kNull:
    case cbor::kUndefined: Py_RETURN_NONE;
    default: return malformed("a simple value that isn't used here");
  }
}

PyObject* Decoder::text(std::uint64_t size) {
  std::span<const std::uint8_t> content;
  if (!reader_.payload(size, content)) return malformed(nullptr);
  PyObject* decoded = PyUnicode_DecodeUTF8(reinterpret_cast<const char*>(content.data()),
                                           static_cast<Py_ssize_t>(content.size()), "strict");
  if (decoded == nullptr && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError) != 0) {
    PyErr_Clear();
    return malformed("text that isn't UTF-8");
  }
  return decoded;
}

PyObject* Decoder::malformed(const char* what) {
  return unusable(PyExc_ValueError, reader_.offset(), what != nullptr ? what : reader_.fault());
}

PyObject* Decoder::unusable(PyObject* type, std::size_t at, const char* what) {
  return PyErr_Format(type, "value at byte %zu: %s", at, what);
}

}  // namespace pyisolate
