#include "path.h"

#include <string_view>
#include <vector>

#include "py_ref.h"

namespace pyisolate {
namespace {

constexpr std::size_t kMaxSteps = 24;
constexpr Py_ssize_t kMaxKeyCharacters = 40;

std::string utf8(PyObject* owned_text) {
  const PyRef text(owned_text);
  Py_ssize_t size = 0;
  const char* data = text ? PyUnicode_AsUTF8AndSize(text.get(), &size) : nullptr;
  if (data == nullptr) {
    PyErr_Clear();
    return "?";
  }
  return {data, static_cast<std::size_t>(size)};
}

std::string enclosed(std::string_view open, std::string_view text, std::string_view close) {
  return std::string(open).append(text).append(close);
}

// repr() escapes lone surrogates, and of exact types runs no guest code.
std::string key_text(PyObject* key) {
  if (PyUnicode_Check(key)) {
    const PyRef shortened(PyUnicode_Substring(key, 0, kMaxKeyCharacters));
    if (shortened && PyUnicode_CheckExact(shortened.get())) {
      std::string text = utf8(PyObject_Repr(shortened.get()));
      if (PyUnicode_GET_LENGTH(key) > kMaxKeyCharacters) text += "…";
      return text;
    }
    PyErr_Clear();
  }
  const bool small = PyLong_CheckExact(key) && PyUnstable_Long_IsCompact(reinterpret_cast<PyLongObject*>(key));
  if (small || PyBool_Check(key) || key == Py_None || PyFloat_CheckExact(key)) {
    return utf8(PyObject_Repr(key));
  }
  return enclosed("<", utf8(PyType_GetName(Py_TYPE(key))), ">");
}

std::string step_text(const Step& step) {
  switch (step.kind) {
    case Step::Kind::index: return enclosed("[", std::to_string(step.index), "]");
    case Step::Kind::value_of: return enclosed("[", key_text(step.key), "]");
    case Step::Kind::key_of: return enclosed("{key ", key_text(step.key), "}");
    case Step::Kind::element: return "{element}";
  }
  return "?";
}

}  // namespace

std::string path_text(const Step* at) {
  std::vector<const Step*> steps;
  for (; at != nullptr; at = at->up) steps.push_back(at);
  std::string text = "$";
  for (std::size_t i = 0; i < steps.size() && i < kMaxSteps; ++i) {
    text += step_text(*steps[steps.size() - 1 - i]);
  }
  if (steps.size() > kMaxSteps) text += "…";
  return text;
}

std::string kind_text(PyObject* value) {
  if (PyFunction_Check(value) || PyCFunction_Check(value)) return "a function";
  if (PyMethod_Check(value)) return "a method";
  if (PyModule_Check(value)) return "a module";
  if (PyType_Check(value)) return "a class";
  if (PyGen_Check(value)) return "a generator";
  if (PyCoro_CheckExact(value)) return "a coroutine";
  return enclosed("a ", utf8(PyUnicode_FromFormat("%T", value)), " object");
}

}  // namespace pyisolate
