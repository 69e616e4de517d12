#include "python/immortal.h"

#include <Python.h>

#include <unordered_set>
#include <vector>

namespace pyisolate {
namespace {

// Walks over everything that can be reached from the tracked objects, and makes it immortal.
class Walk {
 public:
  static int begin_with(PyObject* object, void* walk) {
    static_cast<Walk*>(walk)->open_.push_back(object);
    return 1;  // go on
  }

  void run() {
    while (!open_.empty()) {
      PyObject* object = open_.back();
      open_.pop_back();
      if (!seen_.insert(object).second) continue;
      look(Py_TYPE(object));
      immortalise(object);
      if (PyObject_IS_GC(object)) Py_TYPE(object)->tp_traverse(object, reach, this);
    }
  }

 private:
  static int reach(PyObject* object, void* walk) {
    auto* self = static_cast<Walk*>(walk);
    if (PyType_Check(object)) self->look(reinterpret_cast<PyTypeObject*>(object));
    if (!_Py_IsImmortal(object)) self->open_.push_back(object);
    return 0;
  }

  // Types in C's static memory are immortal themselves, but nothing traverses what they hold.
  void look(PyTypeObject* type) {
    if (PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) || !types_.insert(type).second) return;
    for (PyObject* held : {type->tp_mro, type->tp_bases, PyType_GetDict(type)}) {
      if (held != nullptr) open_.push_back(held);
    }
  }

  // As CPython does it (Objects/object.c, _Py_SetImmortalUntracked, which isn't exported), but for two things: the
  // collector keeps track of it, as a container of the zygote's is frozen, not forgotten; and it keeps its owner,
  // the thread that a cell's first one takes after, or every dictionary would be marked as shared when first read.
  static void immortalise(PyObject* object) { object->ob_ref_local = _Py_IMMORTAL_REFCNT_LOCAL; }

  std::vector<PyObject*> open_;
  std::unordered_set<PyObject*> seen_;
  std::unordered_set<PyTypeObject*> types_;
};

}  // namespace

void immortalise_everything() {
  Walk walk;
  PyUnstable_GC_VisitObjects(Walk::begin_with, &walk);
  walk.run();
}

}  // namespace pyisolate
