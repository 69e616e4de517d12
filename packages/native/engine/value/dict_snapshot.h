// A dict's pairs at one instant, with references of their own: in a free-threaded interpreter another
// thread may change the dict while its values are being encoded.
#pragma once

#include <Python.h>

namespace pyisolate {

class DictSnapshot {
 public:
  DictSnapshot() = default;
  DictSnapshot(const DictSnapshot&) = delete;
  DictSnapshot& operator=(const DictSnapshot&) = delete;
  ~DictSnapshot();

  // False with an exception set. Reads the dict's own storage, past any override in a subclass.
  bool take(PyObject* dict);

  Py_ssize_t size() const { return size_; }
  PyObject* key(Py_ssize_t i) const { return objects_[2 * i]; }
  PyObject* value(Py_ssize_t i) const { return objects_[2 * i + 1]; }

 private:
  static constexpr Py_ssize_t kInlinePairs = 8;

  bool take_ordered(PyObject* dict);
  bool reserve(Py_ssize_t pairs);  // sets no exception
  void add(PyObject* key, PyObject* value);

  PyObject* inline_[2 * kInlinePairs];
  PyObject** objects_ = inline_;
  Py_ssize_t size_ = 0;
};

}  // namespace pyisolate
