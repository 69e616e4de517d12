// PyInterpreterState_ThreadHead() and PyThreadState_Next() take no lock: a thread that ends meanwhile would be looked
// at after it was freed. The lock that CPython itself takes (HEAD_LOCK, Python/pystate.c) isn't public.
#define Py_BUILD_CORE 1
#include "python/thread_list.h"

#include <Python.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_runtime.h>

namespace pyisolate {

std::vector<unsigned long> other_thread_ids(_ts* state) {
  std::vector<unsigned long> found;
  HEAD_LOCK(&_PyRuntime);
  for (PyThreadState* t = PyInterpreterState_ThreadHead(state->interp); t != nullptr; t = PyThreadState_Next(t)) {
    if (t != state) found.push_back(t->thread_id);
  }
  HEAD_UNLOCK(&_PyRuntime);
  return found;
}

}  // namespace pyisolate
