// datetime.datetime as tag 1, seconds since the epoch. The fields are read through datetime.h's macros,
// which look into the object; its C API capsule, a static variable for each file, isn't used.
#include <Python.h>

#include <datetime.h>  // needs Python.h before it

#include <chrono>

#include "encoder.h"
#include "py_ref.h"

namespace pyisolate {
namespace {

constexpr std::int64_t kMicros = 1'000'000;

std::int64_t micros_of_fields(PyObject* value) {
  using namespace std::chrono;
  const sys_days date{year{PyDateTime_GET_YEAR(value)} / PyDateTime_GET_MONTH(value) / PyDateTime_GET_DAY(value)};
  const std::int64_t seconds = duration_cast<std::chrono::seconds>(date.time_since_epoch()).count() +
                               PyDateTime_DATE_GET_HOUR(value) * 3600 + PyDateTime_DATE_GET_MINUTE(value) * 60 +
                               PyDateTime_DATE_GET_SECOND(value);
  return seconds * kMicros + PyDateTime_DATE_GET_MICROSECOND(value);
}

// What an aware datetime is ahead of UTC: base.utcoffset(value), which asks its tzinfo (guest code).
bool micros_ahead(PyObject* value, PyTypeObject* base, std::int64_t& micros) {
  micros = 0;
  const PyRef name(PyUnicode_FromString("utcoffset"));
  const PyRef offset(name ? PyObject_CallMethodOneArg(reinterpret_cast<PyObject*>(base), name.get(), value) : nullptr);
  if (!offset) return false;
  if (offset.get() == Py_None) return true;  // a tzinfo that doesn't know counts as none
  if (library_base(Py_TYPE(offset.get()), "datetime.timedelta") == nullptr) {
    PyErr_SetString(PyExc_TypeError, "utcoffset() did not return a timedelta");
    return false;
  }
  const std::int64_t seconds = static_cast<std::int64_t>(PyDateTime_DELTA_GET_DAYS(offset.get())) * 86400 +
                               PyDateTime_DELTA_GET_SECONDS(offset.get());
  micros = seconds * kMicros + PyDateTime_DELTA_GET_MICROSECONDS(offset.get());
  return true;
}

}  // namespace

bool Encoder::datetime(PyObject* value, PyTypeObject* base, const Step*) {
  std::int64_t ahead = 0;
  const bool aware = PyDateTime_DATE_GET_TZINFO(value) != Py_None;
  if (aware && !micros_ahead(value, base, ahead)) return false;
  const std::int64_t micros = micros_of_fields(value) - ahead;
  writer_.tag(cbor::kTagEpoch);
  if (micros % kMicros == 0) {
    writer_.integer(micros / kMicros);
  } else if (micros % 1000 == 0) {
    // Milliseconds are exact in a double for every year, so this is the double JavaScript has.
    writer_.float64(static_cast<double>(micros / 1000) / 1e3);
  } else {
    writer_.float64(static_cast<double>(micros) / 1e6);
  }
  return true;
}

}  // namespace pyisolate
