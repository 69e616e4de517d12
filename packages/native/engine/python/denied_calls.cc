#include "python/denied_calls.h"

#include <Python.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "py_ref.h"
#include "python/guest.h"
#include "python/refusals.h"

namespace pyisolate {
namespace {

struct Told {
  const char* module;
  const char* function;
  const char* call;  // the system call; null: it executes the program that its first argument names
  PyCFunction beneath = nullptr;
};

std::array told = std::to_array<Told>({
    {"posix", "execv", nullptr},
    {"posix", "execve", nullptr},
    {"posix", "posix_spawn", nullptr},
    {"posix", "posix_spawnp", nullptr},
    {"posix", "system", nullptr},
    {"_posixsubprocess", "fork_exec", nullptr},
    {"posix", "fork", "fork"},
    {"posix", "forkpty", "fork"},
    {"posix", "memfd_create", "memfd_create"},
    {"posix", "unshare", "unshare"},
    {"posix", "setns", "setns"},
    {"posix", "chroot", "chroot"},
    {"posix", "setuid", "setuid"},
    {"posix", "setgid", "setgid"},
    {"posix", "setreuid", "setreuid"},
    {"posix", "setregid", "setregid"},
    {"posix", "setresuid", "setresuid"},
    {"posix", "setresgid", "setresgid"},
    {"posix", "setgroups", "setgroups"},
    {"posix", "mknod", "mknod"},
    {"posix", "mkfifo", "mknod"},
    {"posix", "chown", "chown"},
    {"posix", "fchown", "fchown"},
    {"posix", "lchown", "lchown"},
    {"posix", "fchmod", "fchmod"},
    {"posix", "setxattr", "setxattr"},
    {"posix", "getxattr", "getxattr"},
    {"posix", "listxattr", "listxattr"},
    {"posix", "removexattr", "removexattr"},
    {"posix", "pidfd_open", "pidfd_open"},
    {"posix", "posix_fallocate", "fallocate"},
    {"posix", "nice", "setpriority"},
    {"posix", "setpriority", "setpriority"},
    {"posix", "setsid", "setsid"},
    {"posix", "setpgid", "setpgid"},
    {"posix", "setpgrp", "setpgid"},
    {"posix", "sched_rr_get_interval", "sched_rr_get_interval"},
    {"posix", "sched_setaffinity", "sched_setaffinity"},
    {"posix", "sched_setparam", "sched_setparam"},
    {"posix", "sched_setscheduler", "sched_setscheduler"},
    {"_signal", "pidfd_send_signal", "pidfd_send_signal"},
    {"_socket", "sethostname", "sethostname"},
    {"fcntl", "flock", "flock"},
    {"time", "clock_settime", "clock_settime"},
});

bool is_system(const Told& entry) { return std::strcmp(entry.function, "system") == 0; }

// Of an exception that is raised: whether the kernel, or who stands in front of it, refused the call.
bool was_refused(PyObject* error) {
  if (error == nullptr || !PyErr_GivenExceptionMatches(error, PyExc_PermissionError)) return false;
  const PyRef number(PyObject_GetAttrString(error, "errno"));
  if (!number || !PyLong_Check(number.get())) return PyErr_Clear(), false;
  return PyLong_AsLong(number.get()) == EPERM;
}

// As text; null, without an exception, for what isn't the name of a program.
PyObject* program_of(const Told& entry, PyObject* first) {
  if (is_system(entry)) return PyUnicode_FromString("/bin/sh");
  if (first == nullptr) return nullptr;
  PyObject* text = nullptr;
  if (PyUnicode_FSDecoder(first, &text) == 0) PyErr_Clear();
  return text;
}

// fork_exec(args, executable_list, ...): where the program may lie, the likeliest first.
PyObject* argument_of(const Told& entry, PyObject* const* args, Py_ssize_t count) {
  if (std::strcmp(entry.function, "fork_exec") != 0) return count > 0 ? args[0] : nullptr;
  if (count < 2 || !PyTuple_Check(args[1]) || PyTuple_GET_SIZE(args[1]) == 0) return nullptr;
  return PyTuple_GET_ITEM(args[1], 0);
}

// `result`: of the function, which is handed on. What keeps it from being told goes along as the exception's cause.
PyObject* tell(const Told& entry, PyObject* result, PyObject* const* args, Py_ssize_t count) {
  Guest* guest = current_guest();
  if (guest == nullptr) return result;
  // system(3) doesn't raise: it answers as if the shell had ended with 127, which here it never got to begin.
  if (result != nullptr && !(is_system(entry) && PyLong_Check(result) && PyLong_AsLong(result) != 0)) return result;
  PyRef error(result == nullptr ? PyErr_GetRaisedException() : nullptr);
  if (result == nullptr && !was_refused(error.get())) return PyErr_SetRaisedException(error.release()), nullptr;
  const PyRef object(entry.call != nullptr ? PyUnicode_FromString(entry.call)
                                           : program_of(entry, argument_of(entry, args, count)));
  if (object && guest->tell_denied(entry.call != nullptr ? "call" : "exec", object.get())) {
    if (error) PyErr_SetRaisedException(error.release());
    return result;
  }
  if (!error) return Py_XDECREF(result), nullptr;
  // An interrupt that came meanwhile is the guest's to see.
  if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_Exception)) return nullptr;
  if (PyErr_Occurred()) PyException_SetCause(error.get(), PyErr_GetRaisedException());
  PyErr_SetRaisedException(error.release());
  return nullptr;
}

// One for each way CPython calls a function (METH_* of its definition), and each entry.
template <std::size_t N>
PyObject* plain(PyObject* self, PyObject* arg) {
  return tell(told[N], told[N].beneath(self, arg), &arg, arg != nullptr ? 1 : 0);
}
template <std::size_t N>
PyObject* keywords(PyObject* self, PyObject* args, PyObject* named) {
  PyObject* result =
      reinterpret_cast<PyCFunctionWithKeywords>(reinterpret_cast<void (*)()>(told[N].beneath))(self, args, named);
  return tell(told[N], result, nullptr, 0);
}
template <std::size_t N>
PyObject* fast(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  PyObject* result =
      reinterpret_cast<PyCFunctionFast>(reinterpret_cast<void (*)()>(told[N].beneath))(self, args, count);
  return tell(told[N], result, args, count);
}
template <std::size_t N>
PyObject* fast_keywords(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) {
  auto* beneath = reinterpret_cast<PyCFunctionFastWithKeywords>(reinterpret_cast<void (*)()>(told[N].beneath));
  return tell(told[N], beneath(self, args, count, names), args,
              count + (names != nullptr ? PyTuple_GET_SIZE(names) : 0));
}

template <class Function>
PyCFunction as_method(Function function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

template <std::size_t N>
PyCFunction layer(int flags) {
  switch (flags & (METH_VARARGS | METH_KEYWORDS | METH_FASTCALL | METH_NOARGS | METH_O | METH_METHOD)) {
    case METH_NOARGS:
    case METH_O: return plain<N>;
    case METH_VARARGS | METH_KEYWORDS: return as_method(keywords<N>);
    case METH_FASTCALL: return as_method(fast<N>);
    case METH_FASTCALL | METH_KEYWORDS: return as_method(fast_keywords<N>);
    default: return nullptr;  // none of these
  }
}

template <std::size_t... N>
PyCFunction layer_of(std::size_t at, int flags, std::index_sequence<N...>) {
  PyCFunction found = nullptr;
  ((N == at ? void(found = layer<N>(flags)) : void()), ...);
  return found;
}

PyMethodDef* methods_of(const char* module) {
  for (const _inittab* entry = PyImport_Inittab; entry->name != nullptr; ++entry) {
    if (std::strcmp(entry->name, module) != 0 || entry->initfunc == nullptr) continue;
    // Multi-phase initialisation (PEP 489): the function only hands out the static definition.
    PyObject* definition = entry->initfunc();
    if (definition != nullptr && PyObject_TypeCheck(definition, &PyModuleDef_Type))
      return reinterpret_cast<PyModuleDef*>(definition)->m_methods;
    PyErr_Clear();
  }
  return nullptr;
}

}  // namespace

void tell_denied_calls() {
  for (std::size_t at = 0; at < told.size(); ++at) {
    Told& entry = told[at];
    PyMethodDef* method = methods_of(entry.module);
    for (; method != nullptr && method->ml_name != nullptr; ++method) {
      if (std::strcmp(method->ml_name, entry.function) != 0) continue;
      const PyCFunction over = layer_of(at, method->ml_flags, std::make_index_sequence<told.size()>());
      if (over == nullptr || method->ml_meth == over) continue;
      entry.beneath = method->ml_meth;
      method->ml_meth = over;
    }
  }
}

}  // namespace pyisolate
