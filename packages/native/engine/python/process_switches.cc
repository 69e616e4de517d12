#include "python/process_switches.h"

#include <Python.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "py_ref.h"

namespace pyisolate {
namespace {

struct Switches {
  const char* module;
  std::string_view names;  // separated and ended by blanks
};

constexpr Switches kSwitches[] = {
    {"posix",
     " _exit abort kill killpg chdir fchdir chroot umask nice setpriority sched_setaffinity putenv unsetenv closerange "
     "dup2 sched_setscheduler sched_setparam setuid setgid setreuid setregid setresuid setresgid setsid setpgid lockf "
     "fork fork1 forkpty execv execve posix_spawn posix_spawnp "},
    {"_posixsubprocess", " fork_exec "},
    {"_signal",
     " alarm setitimer raise_signal pthread_kill pidfd_send_signal set_wakeup_fd siginterrupt pthread_sigmask signal "
     "sigwait sigwaitinfo sigtimedwait "},
    {"faulthandler",
     " enable disable register unregister dump_traceback_later cancel_dump_traceback_later _sigsegv _sigabrt _sigfpe "
     "_fatal_error_c_thread _read_null _stack_overflow "},
    {"resource", " setrlimit prlimit "},
    {"time", " tzset "},
    {"_imp", " _override_multi_interp_extensions_check "},
};

PyObject* refuse() {
  const PyRef args(Py_BuildValue("(is)", EPERM, "this acts on the whole cell: not in interpreter isolation"));
  if (args) PyErr_SetObject(PyExc_PermissionError, args.get());
  return nullptr;
}

// One for each way CPython calls a function (METH_* of its definition).
PyObject* refuse_varargs(PyObject*, PyObject*) { return refuse(); }
PyObject* refuse_keywords(PyObject*, PyObject*, PyObject*) { return refuse(); }
PyObject* refuse_fast(PyObject*, PyObject* const*, Py_ssize_t) { return refuse(); }
PyObject* refuse_fast_keywords(PyObject*, PyObject* const*, Py_ssize_t, PyObject*) { return refuse(); }

template <class Function>
PyCFunction as_method(Function function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyCFunction refusal_for(int flags) {
  switch (flags & (METH_VARARGS | METH_KEYWORDS | METH_FASTCALL | METH_NOARGS | METH_O | METH_METHOD)) {
    case METH_VARARGS | METH_KEYWORDS: return as_method(refuse_keywords);
    case METH_FASTCALL: return as_method(refuse_fast);
    case METH_FASTCALL | METH_KEYWORDS: return as_method(refuse_fast_keywords);
    default: return refuse_varargs;
  }
}

bool listed(std::string_view names, const char* name) {
  const std::string wanted = std::string(" ") + name + " ";
  return names.find(wanted) != std::string_view::npos;
}

}  // namespace

void disable_process_switches(bool own_directories) {
  for (const Switches& switches : kSwitches) {
    for (const _inittab* entry = PyImport_Inittab; entry->name != nullptr; ++entry) {
      if (std::strcmp(entry->name, switches.module) != 0 || entry->initfunc == nullptr) continue;
      // Multi-phase initialisation (PEP 489): the function only hands out the static definition.
      PyObject* definition = entry->initfunc();
      if (definition == nullptr || !PyObject_TypeCheck(definition, &PyModuleDef_Type)) {
        PyErr_Clear();
        continue;
      }
      PyMethodDef* method = reinterpret_cast<PyModuleDef*>(definition)->m_methods;
      for (; method != nullptr && method->ml_name != nullptr; ++method) {
        // In place: existing function objects point at their entry, too.
        if (own_directories && listed(" chdir fchdir ", method->ml_name)) continue;
        if (listed(switches.names, method->ml_name)) method->ml_meth = refusal_for(method->ml_flags);
      }
    }
  }
}

}  // namespace pyisolate
