#include <chrono>
#include <cmath>

#include "decoder.h"
#include "typed_array.h"

namespace pyisolate {
namespace {

PyRef attribute(PyObject* owner, const char* name) {
  return PyRef(owner != nullptr ? PyObject_GetAttrString(owner, name) : nullptr);
}

// Far from 1970 a double tells no microseconds apart, but still the milliseconds of JavaScript's dates.
std::int64_t micros_of(double seconds) {
  const double millis = std::nearbyint(seconds * 1e3);
  if (millis / 1e3 == seconds) return static_cast<std::int64_t>(millis) * 1000;
  const double whole = std::floor(seconds);
  const double fraction = std::nearbyint((seconds - whole) * 1e6);  // ties to even, as datetime does
  return static_cast<std::int64_t>(whole) * 1'000'000 + static_cast<std::int64_t>(fraction);
}

}  // namespace

PyObject* Decoder::tagged(std::uint64_t tag, Use use) {
  switch (tag) {
    case cbor::kTagEpoch: return datetime();
    case cbor::kTagBignum: return bignum(false);
    case cbor::kTagNegBignum: return bignum(true);
    case cbor::kTagSet: return set(use);
    default: break;
  }
  if (typed_array_of_tag(tag) != nullptr) return typed_array(tag, use);
  return PyErr_Format(PyExc_ValueError, "value at byte %zu: tag %llu isn't used here", reader_.offset(),
                      static_cast<unsigned long long>(tag));
}

PyObject* Decoder::bignum(bool negative) {
  std::span<const std::uint8_t> digits;
  if (!reader_.bytes(digits)) return malformed(nullptr);
  PyRef magnitude(PyLong_FromUnsignedNativeBytes(digits.data(), digits.size(), Py_ASNATIVEBYTES_BIG_ENDIAN));
  return magnitude && negative ? PyNumber_Invert(magnitude.get()) : magnitude.release();
}

PyObject* Decoder::datetime() {
  const std::size_t start = reader_.offset();
  double seconds = 0;
  if (!reader_.number(seconds)) return malformed(nullptr);
  constexpr std::int64_t kYear1 = -62135596800, kYear10000 = 253402300800;
  std::int64_t micros = 0;
  // Written so that NaN fails, too. The second look is for what was rounded up.
  if (!(seconds >= kYear1 && seconds < kYear10000) || (micros = micros_of(seconds)) >= kYear10000 * 1'000'000) {
    return unusable(PyExc_ValueError, start, "a date outside the years 1 to 9999");
  }
  if (!utc_) {
    const PyRef module(PyImport_ImportModule("_datetime"));
    datetime_type_ = attribute(module.get(), "datetime");
    if (datetime_type_) utc_ = attribute(module.get(), "UTC");
    if (!utc_) return nullptr;
  }
  using namespace std::chrono;
  const sys_time<microseconds> time{microseconds{micros}};
  const auto midnight = floor<days>(time);
  const year_month_day date{midnight};
  const hh_mm_ss clock{time - midnight};
  return PyObject_CallFunction(datetime_type_.get(), "iIIlllLO", static_cast<int>(date.year()),
                               static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                               static_cast<long>(clock.hours().count()), static_cast<long>(clock.minutes().count()),
                               static_cast<long>(clock.seconds().count()),
                               static_cast<long long>(clock.subseconds().count()), utc_.get());
}

PyObject* Decoder::typed_array(std::uint64_t tag, Use use) {
  const TypedArray* kind = typed_array_of_tag(tag);
  const std::size_t start = reader_.offset();
  if (use == Use::key) return unusable(PyExc_TypeError, start, "Python can't use an array as a key or in a set");
  std::span<const std::uint8_t> content;
  if (!reader_.bytes(content)) return malformed(nullptr);
  if (content.size() % kind->item_bytes != 0) return malformed("a typed array that ends inside an item");
  if (!array_type_) {
    const PyRef module(PyImport_ImportModule("array"));
    array_type_ = attribute(module.get(), "array");
    if (!array_type_) return nullptr;
  }
  const PyRef bytes(PyBytes_FromStringAndSize(reinterpret_cast<const char*>(content.data()),
                                              static_cast<Py_ssize_t>(content.size())));
  return bytes ? PyObject_CallFunction(array_type_.get(), "CO", kind->typecode, bytes.get()) : nullptr;
}

}  // namespace pyisolate
