#include "decoder.h"

namespace pyisolate {

// A count is believed only as far as bytes and budget bear it, before anything is allocated. The items
// are charged at once, so that nested claims can't each allocate the whole budget.
bool Decoder::enter(std::uint64_t count, unsigned values_each) {
  if (count > reader_.remaining() / values_each) {
    malformed("it ends too early");
    return false;
  }
  if (depth_left_ == 0) {
    PyErr_Format(PyExc_RecursionError, "value at byte %zu: nested deeper than the limit of %u levels", reader_.offset(),
                 static_cast<unsigned>(budget_.depth < kMaxDepth ? budget_.depth : kMaxDepth));
    return false;
  }
  if (!take_items(count * values_each)) return false;
  --depth_left_;
  return true;
}

PyObject* Decoder::list(std::uint64_t count) {
  if (!enter(count, 1)) return nullptr;
  PyRef list(PyList_New(static_cast<Py_ssize_t>(count)));
  if (!list) return nullptr;
  for (std::uint64_t i = 0; i < count; ++i) {
    PyObject* item = value(Use::value);
    if (item == nullptr) return nullptr;
    PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), item);
  }
  ++depth_left_;
  return list.release();
}

PyObject* Decoder::tuple(std::uint64_t count) {
  if (!enter(count, 1)) return nullptr;
  PyRef tuple(PyTuple_New(static_cast<Py_ssize_t>(count)));
  if (!tuple) return nullptr;
  for (std::uint64_t i = 0; i < count; ++i) {
    PyObject* item = value(Use::key);
    if (item == nullptr) return nullptr;
    PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), item);
  }
  ++depth_left_;
  return tuple.release();
}

PyObject* Decoder::dict(std::uint64_t pairs, Use use) {
  const std::size_t start = reader_.offset();
  if (use == Use::key) return unusable(PyExc_TypeError, start, "Python can't use a dict as a key or in a set");
  if (!enter(pairs, 2)) return nullptr;
  PyRef dict(PyDict_New());
  if (!dict) return nullptr;
  for (std::uint64_t i = 0; i < pairs; ++i) {
    const std::size_t at = reader_.offset();
    const PyRef key(value(Use::key));
    if (!key) return nullptr;
    const PyRef item(value(Use::value));
    if (!item || PyDict_SetItem(dict.get(), key.get(), item.get()) < 0) return nullptr;
    if (PyDict_GET_SIZE(dict.get()) != static_cast<Py_ssize_t>(i + 1)) {
      return unusable(PyExc_ValueError, at, "a key that equals an earlier one");
    }
  }
  ++depth_left_;
  return dict.release();
}

PyObject* Decoder::set(Use use) {
  CborReader::Head head;
  if (!reader_.head(head)) return malformed(nullptr);
  if (head.major != cbor::Major::array) return malformed("a set that isn't an array");
  if (!enter(head.value, 1)) return nullptr;
  PyRef set(use == Use::key ? PyFrozenSet_New(nullptr) : PySet_New(nullptr));
  if (!set) return nullptr;
  for (std::uint64_t i = 0; i < head.value; ++i) {
    const std::size_t at = reader_.offset();
    const PyRef element(value(Use::key));
    if (!element || PySet_Add(set.get(), element.get()) < 0) return nullptr;
    if (PySet_GET_SIZE(set.get()) != static_cast<Py_ssize_t>(i + 1)) {
      return unusable(PyExc_ValueError, at, "an element of a set that equals an earlier one");
    }
  }
  ++depth_left_;
  return set.release();
}

}  // namespace pyisolate
