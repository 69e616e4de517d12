#include "python/interpreter.h"

#include <Python.h>

#include <cstring>

#include "python/account.h"
#include "python/refusals.h"
#include "python/thread_list.h"

namespace pyisolate {

_ts* begin_interpreter(std::string& problem) {
  PyInterpreterConfig config = {};
  config.use_main_obmalloc = 0;
  config.allow_fork = 0;
  config.allow_exec = 0;
  config.allow_threads = 1;
  config.allow_daemon_threads = 0;
  config.check_multi_interp_extensions = 1;
  config.gil = PyInterpreterConfig_OWN_GIL;
  PyThreadState* state = nullptr;
  const PyStatus status = Py_NewInterpreterFromConfig(&state, &config);
  if (PyStatus_Exception(status)) {
    problem = status.err_msg != nullptr ? status.err_msg : "unknown";
    return nullptr;
  }
  return state;
}

void end_interpreter(_ts* state) { Py_EndInterpreter(state); }

int other_threads(_ts* state) { return static_cast<int>(other_thread_ids(state).size()); }

static int on_audit(const char* event, PyObject*, void*) {
  if (std::strncmp(event, "_thread.start_", 14) != 0) return 0;
  const Account* account = current_account();
  if (account == nullptr || account->threads.load() == 0) return 0;
  if (other_threads(PyThreadState_Get()) < account->threads.load()) return 0;
  note_refusal(Refused::threads);
  PyErr_SetString(PyExc_RuntimeError, "can't start new thread: the sandbox has as many as it may");
  return -1;
}

void limit_threads() { PySys_AddAuditHook(on_audit, nullptr); }

void end_other_threads(_ts* state) {
  for (const unsigned long thread : other_thread_ids(state)) PyThreadState_SetAsyncExc(thread, PyExc_SystemExit);
}

void raise_in(_ts* state, unsigned long thread, bool exit) {
  PyThreadState* mine = PyThreadState_New(PyThreadState_GetInterpreter(state));
  PyEval_RestoreThread(mine);
  PyThreadState_SetAsyncExc(thread, exit ? PyExc_SystemExit : PyExc_KeyboardInterrupt);
  PyThreadState_Clear(mine);
  PyThreadState_DeleteCurrent();
}

}  // namespace pyisolate
