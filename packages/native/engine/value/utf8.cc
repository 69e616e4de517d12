#include "utf8.h"

#include <cstring>

namespace pyisolate {
namespace {

template <typename Unit>
Py_ssize_t size_of(const Unit* units, Py_ssize_t length, Py_ssize_t& surrogate) {
  Py_ssize_t size = length;
  for (Py_ssize_t i = 0; i < length; ++i) {
    const std::uint32_t c = units[i];
    size += (c >= 0x80) + (c >= 0x800) + (c >= 0x10000);
    if (c >= 0xd800 && c <= 0xdfff) {
      surrogate = i;
      return -1;
    }
  }
  return size;
}

template <typename Unit>
void write(const Unit* units, Py_ssize_t length, std::uint8_t* out) {
  const auto trail = [](std::uint32_t bits) { return static_cast<std::uint8_t>(0x80 | (bits & 0x3f)); };
  for (Py_ssize_t i = 0; i < length; ++i) {
    const std::uint32_t c = units[i];
    if (c < 0x80) {
      *out++ = static_cast<std::uint8_t>(c);
    } else if (c < 0x800) {
      *out++ = static_cast<std::uint8_t>(0xc0 | c >> 6);
      *out++ = trail(c);
    } else if (c < 0x10000) {
      *out++ = static_cast<std::uint8_t>(0xe0 | c >> 12);
      *out++ = trail(c >> 6);
      *out++ = trail(c);
    } else {
      *out++ = static_cast<std::uint8_t>(0xf0 | c >> 18);
      *out++ = trail(c >> 12);
      *out++ = trail(c >> 6);
      *out++ = trail(c);
    }
  }
}

}  // namespace

Py_ssize_t utf8_size(PyObject* text, Py_ssize_t& surrogate) {
  const Py_ssize_t length = PyUnicode_GET_LENGTH(text);
  if (PyUnicode_IS_ASCII(text)) return length;
  switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND: return size_of(PyUnicode_1BYTE_DATA(text), length, surrogate);
    case PyUnicode_2BYTE_KIND: return size_of(PyUnicode_2BYTE_DATA(text), length, surrogate);
    default: return size_of(PyUnicode_4BYTE_DATA(text), length, surrogate);
  }
}

void utf8_write(PyObject* text, std::uint8_t* out) {
  const Py_ssize_t length = PyUnicode_GET_LENGTH(text);
  if (PyUnicode_IS_ASCII(text)) {
    std::memcpy(out, PyUnicode_DATA(text), static_cast<std::size_t>(length));
    return;
  }
  switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND: return write(PyUnicode_1BYTE_DATA(text), length, out);
    case PyUnicode_2BYTE_KIND: return write(PyUnicode_2BYTE_DATA(text), length, out);
    default: return write(PyUnicode_4BYTE_DATA(text), length, out);
  }
}

}  // namespace pyisolate
