#include "python/runtime.h"

#include <Python.h>
#include <marshal.h>
#include <mimalloc/mimalloc.h>

#include <cstring>
#include <vector>

#include "embedded_sources.h"
#include "py_ref.h"
#include "python/denied_calls.h"
#include "python/extensions.h"
#include "python/immortal.h"
#include "python/native_module.h"
#include "python/reserve.h"

namespace pyisolate {
namespace {

// Modules that drive other interpreters of the process: not in this executable's table at all.
constexpr const char* kLeftOut[] = {"_interpreters", "_interpchannels", "_interpqueues"};

std::vector<_inittab> module_table() {
  std::vector<_inittab> table;
  for (const _inittab* entry = PyImport_Inittab; entry->name != nullptr; ++entry) {
    bool left_out = false;
    for (const char* name : kLeftOut) left_out = left_out || std::strcmp(entry->name, name) == 0;
    if (!left_out) table.push_back(*entry);
  }
  table.push_back({"_pyisolate", init_native_module});
  table.push_back({nullptr, nullptr});
  return table;
}

// Memory is taken from the kernel as it is needed, in pieces that RLIMIT_DATA counts when they become
// writable: no arena reserved ahead, no segment committed whole.
void tune_allocator() {
  mi_option_set(mi_option_eager_commit, 0);
  mi_option_set(mi_option_arena_eager_commit, 0);
  mi_option_set(mi_option_arena_reserve, 0);
}

bool append(PyConfig& config, const std::string& path) {
  wchar_t* wide = Py_DecodeLocale(path.c_str(), nullptr);
  if (wide == nullptr) return false;
  const PyStatus status = PyWideStringList_Append(&config.module_search_paths, wide);
  PyMem_RawFree(wide);
  return !PyStatus_Exception(status);
}

// A module that the engine carries. Compiled once, by the zygote: an interpreter that compiles it keeps what the
// compiler used.
struct Carried {
  const char* name;
  const char* source;
  std::string code{};  // marshalled
};
Carried carried[] = {{"pyisolate", kSource_api},
                     {"_pyisolate_policy", kSource_policy},
                     {"_pyisolate_services", kSource_services},
                     {"_pyisolate_guest", kSource_guest}};

bool compile(Carried& module, const std::string& file) {
  const PyRef code(Py_CompileString(module.source, file.c_str(), Py_file_input));
  const PyRef bytes(code ? PyMarshal_WriteObjectToString(code.get(), Py_MARSHAL_VERSION) : nullptr);
  if (!bytes) return false;
  module.code.assign(PyBytes_AS_STRING(bytes.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.get())));
  return true;
}

bool execute(Carried& module) {
  const std::string file = std::string("<") + module.name + ">";
  if (module.code.empty() && !compile(module, file)) return false;
  const auto size = static_cast<Py_ssize_t>(module.code.size());
  const PyRef code(PyMarshal_ReadObjectFromString(module.code.data(), size));
  return code && PyRef(PyImport_ExecCodeModuleEx(module.name, code.get(), file.c_str()));
}

}  // namespace

bool start_python(const ZygoteOptions& options, const World& world, std::string& problem) {
  static std::vector<_inittab> table = module_table();  // CPython keeps the pointer
  PyImport_Inittab = table.data();
  tune_allocator();
  watch_memory();
  PyPreConfig before;
  PyPreConfig_InitIsolatedConfig(&before);
  before.utf8_mode = 1;
  PyStatus status = Py_PreInitialize(&before);
  PyConfig config;
  PyConfig_InitIsolatedConfig(&config);
  config.site_import = 0;
  config.write_bytecode = 0;
  config.install_signal_handlers = 1;
  config.pathconfig_warnings = 0;
  config.module_search_paths_set = 1;
  if (!PyStatus_Exception(status)) status = PyConfig_SetBytesString(&config, &config.home, world.home.c_str());
  if (!PyStatus_Exception(status)) status = PyConfig_SetBytesString(&config, &config.program_name, "python3.13t");
  // Frozen modules learn from it where their source lies (os.__file__).
  if (!PyStatus_Exception(status)) status = PyConfig_SetBytesString(&config, &config.stdlib_dir, world.stdlib.c_str());
  bool ok =
      !PyStatus_Exception(status) && append(config, world.stdlib) && append(config, world.stdlib + "/lib-dynload");
  for (const std::string& path : world.module_paths) ok = ok && append(config, path);
  if (ok) status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  tell_denied_calls();
  if (!ok || PyStatus_Exception(status)) {
    problem = std::string("CPython can't start: ") + (status.err_msg != nullptr ? status.err_msg : "no memory");
    return false;
  }
  if (load_guest_module("process", options.brokered) == nullptr) {
    problem = "the sandbox's Python half doesn't load: " + take_exception_text();
    return false;
  }
  return true;
}

PyObject* load_guest_module(const char* isolation, bool brokered) {
  for (Carried& module : carried) {
    if (!execute(module)) return nullptr;
  }
  PyObject* module = PyImport_AddModule("_pyisolate_guest");
  if (module == nullptr) return nullptr;
  if (!PyRef(PyObject_CallMethod(module, "prepare", "sO", isolation, brokered ? Py_True : Py_False))) return nullptr;
  return module;
}

bool preload(const std::string& module, std::string& problem) {
  if (refuse_extensions() && PyRef(PyImport_ImportModule(module.c_str()))) return true;
  problem = "preload of " + module + " failed: " + take_exception_text();
  return false;
}

bool freeze(std::string& problem) {
  PyObject* half = PyImport_AddModule("_pyisolate_guest");
  const PyRef gc(PyImport_ImportModule("gc"));
  if (half != nullptr && PyRef(PyObject_CallMethod(half, "warm_up", nullptr)) && gc &&
      PyRef(PyObject_CallMethod(gc.get(), "collect", nullptr)) &&
      PyRef(PyObject_CallMethod(half, "warm_up", nullptr))) {
    immortalise_everything();
    return bool(PyRef(PyObject_CallMethod(gc.get(), "freeze", nullptr)));
  }
  problem = "the zygote can't be made ready: " + take_exception_text();
  return false;
}

void warm_up(PyObject* half) {
  const PyRef done(PyObject_CallMethod(half, "warm_up", "O", Py_False));
  if (!done) PyErr_Clear();  // the sandbox will meet the same, and say so
}

std::string take_exception_text() {
  const PyRef error = PyRef(PyErr_GetRaisedException());
  if (!error) return "unknown error";
  const PyRef text = PyRef(PyObject_Str(error.get()));
  const char* utf8 = text ? PyUnicode_AsUTF8(text.get()) : nullptr;
  std::string result = std::string(Py_TYPE(error.get())->tp_name) + ": " + (utf8 != nullptr ? utf8 : "?");
  PyErr_Clear();
  return result;
}

}  // namespace pyisolate
