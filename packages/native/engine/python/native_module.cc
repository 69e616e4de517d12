#include "python/native_module.h"

#include <cmath>
#include <new>

#include "py_ref.h"
#include "python/guest.h"

namespace pyisolate {
namespace {

struct State {
  Guest* guest;
};

Guest* guest_of(PyObject* module) {
  auto* state = static_cast<State*>(PyModule_GetState(module));
  if (state->guest == nullptr) PyErr_SetString(PyExc_RuntimeError, "no sandbox yet: this is for code that runs in one");
  return state->guest;
}

// Runs `body` so that a lack of memory in C++ is a MemoryError in Python.
template <class Body>
PyObject* barrier(Body body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  }
}

PyObject* post(PyObject* module, PyObject* value) {
  Guest* guest = guest_of(module);
  if (guest == nullptr) return nullptr;
  return barrier([&] { return guest->post(value) ? Py_NewRef(Py_None) : nullptr; });
}

PyObject* recv(PyObject* module, PyObject* timeout) {
  Guest* guest = guest_of(module);
  if (guest == nullptr) return nullptr;
  double seconds = -1;
  if (timeout != Py_None) {
    seconds = PyFloat_AsDouble(timeout);
    if (PyErr_Occurred()) return nullptr;
    if (std::isnan(seconds) || seconds < 0) {
      PyErr_SetString(PyExc_ValueError, "timeout must be a number of seconds, not negative");
      return nullptr;
    }
    seconds = std::min(seconds, 1e9);  // more than a lifetime
  }
  return barrier([&] { return guest->recv(seconds); });
}

PyObject* host_call(PyObject* module, PyObject* args) {
  Guest* guest = guest_of(module);
  PyObject *name, *positional, *named;
  if (guest == nullptr || !PyArg_ParseTuple(args, "UO!O!", &name, &PyTuple_Type, &positional, &PyDict_Type, &named)) {
    return nullptr;
  }
  return barrier([&] { return guest->host_call(name, positional, named); });
}

PyObject* write(PyObject* module, PyObject* args) {
  Guest* guest = guest_of(module);
  int stream;
  Py_buffer data;
  if (guest == nullptr || !PyArg_ParseTuple(args, "iy*", &stream, &data)) return nullptr;
  PyObject* result = barrier([&] {
    const std::span bytes(static_cast<const std::uint8_t*>(data.buf), static_cast<std::size_t>(data.len));
    return guest->output(stream, bytes) ? Py_NewRef(Py_None) : nullptr;
  });
  PyBuffer_Release(&data);
  return result;
}

// time.sleep for an interpreter that isn't the main one: signals don't reach it there, an interrupt does.
PyObject* sleep(PyObject* module, PyObject* seconds) {
  Guest* guest = guest_of(module);
  if (guest == nullptr) return nullptr;
  const double wanted = PyFloat_AsDouble(seconds);
  if (PyErr_Occurred()) return nullptr;
  if (std::isnan(wanted) || wanted < 0) {
    PyErr_SetString(PyExc_ValueError, "sleep length must be non-negative");
    return nullptr;
  }
  return barrier([&] { return guest->sleep(std::min(wanted, 1e9)) ? Py_NewRef(Py_None) : nullptr; });
}

PyObject* functions(PyObject* module, PyObject*) {
  Guest* guest = guest_of(module);
  return guest == nullptr ? nullptr : Py_NewRef(guest->functions());
}

PyMethodDef methods[] = {{"post", post, METH_O, nullptr},
                         {"recv", recv, METH_O, nullptr},
                         {"host_call", host_call, METH_VARARGS, nullptr},
                         {"write", write, METH_VARARGS, nullptr},
                         {"sleep", sleep, METH_O, nullptr},
                         {"functions", functions, METH_NOARGS, nullptr},
                         {nullptr, nullptr, 0, nullptr}};

PyModuleDef_Slot slots[] = {{Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
                            {Py_mod_gil, Py_MOD_GIL_NOT_USED},
                            {0, nullptr}};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_pyisolate", nullptr, sizeof(State), methods, slots, nullptr, nullptr, nullptr};

}  // namespace

PyObject* init_native_module() { return PyModuleDef_Init(&definition); }

bool bind_guest(Guest* guest) {
  // The sandbox's Python half has imported it; asking the import system again would cost every spawn a little.
  PyObject* module = PyDict_GetItemString(PyImport_GetModuleDict(), "_pyisolate");
  if (module == nullptr) return false;
  static_cast<State*>(PyModule_GetState(module))->guest = guest;
  return true;
}

}  // namespace pyisolate
