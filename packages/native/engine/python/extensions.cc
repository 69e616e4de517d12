#include "python/extensions.h"

#include <Python.h>

#include "py_ref.h"

namespace pyisolate {

#ifdef PYISOLATE_CFI

// Calls through pointers are checked against the types in this executable. A module from elsewhere has none there: the
// first call of one of its functions would end the zygote.
constexpr const char* kRefuse = R"(
import _imp

def create_dynamic(spec, file=None):
    raise ImportError(
        f"{spec.name} is an extension module, which an engine built with control-flow integrity can't call",
        name=spec.name, path=spec.origin)

_imp.create_dynamic = create_dynamic
)";

bool refuse_extensions() {
  const PyRef scope(PyDict_New());
  return scope && PyRef(PyRun_String(kRefuse, Py_file_input, scope.get(), scope.get()));
}

#else

bool refuse_extensions() { return true; }

#endif

}  // namespace pyisolate
