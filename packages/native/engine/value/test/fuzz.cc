// A coverage-guided fuzz target (libFuzzer, clang only): what decodes must be well-formed to the reader
// that knows no Python, and must encode, unless Python tells apart what CBOR doesn't (two NaNs as keys).
// PYISOLATE_PYTHON_HOME names the interpreter's prefix.
#include <Python.h>

#include <cstdlib>

#include "cbor_reader.h"
#include "py_ref.h"
#include "value.h"

namespace {

void start_python() {
  PyConfig config;
  PyConfig_InitIsolatedConfig(&config);
  config.site_import = 0;
  if (const char* home = std::getenv("PYISOLATE_PYTHON_HOME")) PyConfig_SetBytesString(&config, &config.home, home);
  const PyStatus status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  if (PyStatus_Exception(status)) Py_ExitStatusException(status);
}

void require(bool condition) {
  if (condition) return;
  PyErr_Print();
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool started = (start_python(), true);
  (void)started;
  using namespace pyisolate;
  const PyRef value(decode_value({data, size}, {}));
  if (!value) {
    require(PyErr_Occurred() != nullptr && PyErr_ExceptionMatches(PyExc_MemoryError) == 0);
    PyErr_Clear();
    return 0;
  }
  CborReader reader({data, size});
  require(reader.skip() && reader.remaining() == 0);
  std::vector<std::uint8_t> out;
  const bool encoded = encode_value(value.get(), {}, out);
  require(encoded || PyErr_ExceptionMatches(PyExc_ValueError) != 0);
  PyErr_Clear();
  return 0;
}
