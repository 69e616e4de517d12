// Where in a value the encoder is: a chain of steps on the C stack, made into text only for an error.
#pragma once

#include <Python.h>

#include <string>

namespace pyisolate {

struct Step {
  enum class Kind { index, key_of, value_of, element };

  const Step* up;
  PyObject* container;  // borrowed; only compared, to tell a cycle from mere depth
  Kind kind = Kind::index;
  Py_ssize_t index = 0;     // Kind::index
  PyObject* key = nullptr;  // borrowed; Kind::key_of and Kind::value_of
};

// "$['rows'][3]". Calls no guest code; keys are shortened.
std::string path_text(const Step* at);

// "a function", "a decimal.Decimal object".
std::string kind_text(PyObject* value);

}  // namespace pyisolate
