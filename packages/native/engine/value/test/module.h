#pragma once

#include <Python.h>

namespace pyisolate {

PyObject* init_value_module();  // for PyImport_AppendInittab

}  // namespace pyisolate
