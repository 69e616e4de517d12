#include "dict_snapshot.h"

#include "py_ref.h"

namespace pyisolate {

DictSnapshot::~DictSnapshot() {
  for (Py_ssize_t i = 0; i < 2 * size_; ++i) Py_DECREF(objects_[i]);
  if (objects_ != inline_) PyMem_RawFree(objects_);
}

bool DictSnapshot::take(PyObject* dict) {
  if (PyODict_Check(dict)) return take_ordered(dict);
  bool enough = false;
  Py_BEGIN_CRITICAL_SECTION(dict);  // nothing may throw or return in here
  const Py_ssize_t size = PyDict_GET_SIZE(dict);
  enough = reserve(size);
  PyObject *key = nullptr, *value = nullptr;
  Py_ssize_t position = 0;
  while (enough && size_ < size && PyDict_Next(dict, &position, &key, &value) != 0) add(key, value);
  Py_END_CRITICAL_SECTION();
  if (!enough) PyErr_NoMemory();
  return enough;
}

// An OrderedDict keeps its order beside the dict's storage, and only its view knows it.
bool DictSnapshot::take_ordered(PyObject* dict) {
  const PyRef name(PyUnicode_FromString("items"));
  const PyRef view(name ? PyObject_CallMethodOneArg(reinterpret_cast<PyObject*>(&PyODict_Type), name.get(), dict)
                        : nullptr);
  const PyRef pairs(view ? PySequence_Tuple(view.get()) : nullptr);
  if (!pairs) return false;
  const Py_ssize_t size = PyTuple_GET_SIZE(pairs.get());
  if (!reserve(size)) {
    PyErr_NoMemory();
    return false;
  }
  for (Py_ssize_t i = 0; i < size; ++i) {
    PyObject* pair = PyTuple_GET_ITEM(pairs.get(), i);
    add(PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1));
  }
  return true;
}

bool DictSnapshot::reserve(Py_ssize_t pairs) {
  if (pairs <= kInlinePairs) return true;
  const auto bytes = 2 * static_cast<std::size_t>(pairs) * sizeof(PyObject*);
  auto* allocated = static_cast<PyObject**>(PyMem_RawMalloc(bytes));
  if (allocated != nullptr) objects_ = allocated;
  return allocated != nullptr;
}

void DictSnapshot::add(PyObject* key, PyObject* value) {
  objects_[2 * size_] = Py_NewRef(key);
  objects_[2 * size_ + 1] = Py_NewRef(value);
  ++size_;
}

}  // namespace pyisolate
