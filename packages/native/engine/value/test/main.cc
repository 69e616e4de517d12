// pyisolate-value-test [--home PREFIX] SCRIPT [ARGUMENT]...: runs a Python script that has `_value`.
#include <Python.h>

#include <cstdio>
#include <cstring>

#include "module.h"

namespace {

[[noreturn]] void quit(const PyStatus& status) { Py_ExitStatusException(status); }

}  // namespace

int main(int argc, char** argv) {
  const char* home = nullptr;
  if (argc > 2 && std::strcmp(argv[1], "--home") == 0) {
    home = argv[2];
    argc -= 2;
    argv += 2;
  }
  if (argc < 2) {
    std::fputs("usage: pyisolate-value-test [--home PREFIX] SCRIPT [ARGUMENT]...\n", stderr);
    return 2;
  }
  if (PyImport_AppendInittab("_value", pyisolate::init_value_module) < 0) return 1;

  PyPreConfig preconfig;
  PyPreConfig_InitIsolatedConfig(&preconfig);
  preconfig.utf8_mode = 1;
  PyStatus status = Py_PreInitialize(&preconfig);
  if (PyStatus_Exception(status)) quit(status);

  PyConfig config;
  PyConfig_InitIsolatedConfig(&config);
  config.site_import = 0;
  config.write_bytecode = 0;
  config.parse_argv = 0;
  if (home != nullptr) status = PyConfig_SetBytesString(&config, &config.home, home);
  if (!PyStatus_Exception(status)) status = PyConfig_SetBytesString(&config, &config.run_filename, argv[1]);
  if (!PyStatus_Exception(status)) status = PyConfig_SetBytesArgv(&config, argc - 1, argv + 1);
  if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  if (PyStatus_Exception(status)) quit(status);
  return Py_RunMain();
}
