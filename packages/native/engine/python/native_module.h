// The module `_pyisolate`: what Python code of a sandbox calls the engine with. One instance per interpreter.
#pragma once

#include <Python.h>

namespace pyisolate {

class Guest;

PyObject* init_native_module();

// Ties the current interpreter's instance to its sandbox. False with an exception set.
bool bind_guest(Guest* guest);

}  // namespace pyisolate
