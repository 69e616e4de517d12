#include "encoder.h"
#include "utf8.h"

namespace pyisolate {

using cbor::Major;

bool Encoder::integer(PyObject* value, const Step* at) {
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
  if (overflow != 0) return big_integer(value, at);
  if (number == -1 && PyErr_Occurred() != nullptr) return false;
  writer_.integer(number);
  return true;
}

// CBOR writes a negative n as -1 - n, which is what inverting two's complement gives.
bool Encoder::big_integer(PyObject* value, const Step* at) {
  constexpr int kFlags = Py_ASNATIVEBYTES_BIG_ENDIAN;
  const Py_ssize_t size = PyLong_AsNativeBytes(value, nullptr, 0, kFlags);
  if (size < 0 || !room(static_cast<std::uint64_t>(size), at)) return false;
  std::vector<std::uint8_t> digits(static_cast<std::size_t>(size));
  if (PyLong_AsNativeBytes(value, digits.data(), size, kFlags) < 0) return false;

  const bool negative = (digits.front() & 0x80) != 0;
  if (negative) {
    for (std::uint8_t& digit : digits) digit = static_cast<std::uint8_t>(~digit);
  }
  std::span<const std::uint8_t> magnitude(digits);
  while (magnitude.front() == 0) magnitude = magnitude.subspan(1);  // never all: it's beyond 63 bits
  if (magnitude.size() <= 8) {
    std::uint64_t argument = 0;
    for (const std::uint8_t digit : magnitude) argument = argument << 8 | digit;
    writer_.head(negative ? Major::negative_int : Major::unsigned_int, argument);
    return true;
  }
  writer_.tag(negative ? cbor::kTagNegBignum : cbor::kTagBignum);
  writer_.bytes(magnitude);
  return true;
}

bool Encoder::text(PyObject* value, const Step* at) {
  Py_ssize_t surrogate = 0;
  const Py_ssize_t size = utf8_size(value, surrogate);
  if (size < 0) {
    return fail(PyExc_ValueError, at, "text with a lone surrogate (U+%04X at index %zd) can't cross to the host",
                static_cast<unsigned>(PyUnicode_READ_CHAR(value, surrogate)), surrogate);
  }
  if (!room(static_cast<std::uint64_t>(size), at)) return false;
  writer_.head(Major::text, static_cast<std::uint64_t>(size));
  if (PyUnicode_IS_ASCII(value)) {
    writer_.append(PyUnicode_DATA(value), static_cast<std::size_t>(size));
    return true;
  }
  auto& out = writer_.out();
  const std::size_t offset = out.size();
  out.resize(offset + static_cast<std::size_t>(size));
  utf8_write(value, out.data() + offset);
  return true;
}

bool Encoder::bytes(const void* data, Py_ssize_t size, const Step* at) {
  if (!room(static_cast<std::uint64_t>(size), at)) return false;
  writer_.head(Major::bytes, static_cast<std::uint64_t>(size));
  writer_.append(data, static_cast<std::size_t>(size));
  return true;
}

}  // namespace pyisolate
