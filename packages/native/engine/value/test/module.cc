// The built-in module `_value` that gives the codec to the test scripts.
#include "module.h"

#include <chrono>
#include <string>

#include "cbor_reader.h"
#include "cbor_writer.h"
#include "py_ref.h"
#include "value.h"

namespace pyisolate {
namespace {

using Bytes = std::vector<std::uint8_t>;

PyObject* to_python(const Bytes& bytes) {
  return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(bytes.data()), static_cast<Py_ssize_t>(bytes.size()));
}

bool parse(PyObject* args, PyObject* kwargs, PyObject** value, Budget& budget) {
  static const char* names[] = {"value", "depth", "items", "bytes", nullptr};
  unsigned int depth = budget.depth;
  unsigned long long items = budget.items, bytes = budget.bytes;
  if (PyArg_ParseTupleAndKeywords(args, kwargs, "O|$IKK", const_cast<char**>(names), value, &depth, &items, &bytes) ==
      0) {
    return false;
  }
  budget = {.depth = depth, .items = items, .bytes = bytes};
  return true;
}

// A copy of exactly the right size, so that the address sanitizer sees a read past the end.
bool copy(PyObject* object, Bytes& out) {
  char* data = nullptr;
  Py_ssize_t size = 0;
  if (PyBytes_AsStringAndSize(object, &data, &size) < 0) return false;
  out = Bytes(data, data + size);
  return true;
}

PyObject* encode(PyObject*, PyObject* args, PyObject* kwargs) {
  PyObject* value = nullptr;
  Budget budget;
  if (!parse(args, kwargs, &value, budget)) return nullptr;
  Bytes out{'p', 'r', 'e'};
  const bool done = encode_value(value, budget, out);
  if (done == (PyErr_Occurred() != nullptr)) Py_FatalError("encode_value: answer and exception disagree");
  if (!done && out.size() != 3) Py_FatalError("encode_value: output left behind by a failure");
  out.erase(out.begin(), out.begin() + 3);
  return done ? to_python(out) : nullptr;
}

PyObject* decode(PyObject*, PyObject* args, PyObject* kwargs) {
  PyObject* object = nullptr;
  Budget budget;
  Bytes bytes;
  if (!parse(args, kwargs, &object, budget) || !copy(object, bytes)) return nullptr;
  PyObject* result = decode_value(bytes, budget);
  if ((result == nullptr) != (PyErr_Occurred() != nullptr))
    Py_FatalError("decode_value: answer and exception disagree");
  return result;
}

// What CborReader finds wrong with one value, or None.
PyObject* skim(PyObject*, PyObject* object) {
  Bytes bytes;
  if (!copy(object, bytes)) return nullptr;
  CborReader reader(bytes);
  if (reader.skip(256) && reader.remaining() == 0) Py_RETURN_NONE;
  return PyUnicode_FromString(reader.fault() != nullptr ? reader.fault() : "more bytes follow");
}

// The engine's own way of reading a command: {code, filename}, anything else ignored.
PyObject* read_command(PyObject*, PyObject* object) {
  Bytes bytes;
  if (!copy(object, bytes)) return nullptr;
  CborReader reader(bytes);
  std::uint64_t pairs = 0;
  std::string_view code{""}, filename{""}, key;
  if (reader.map(pairs)) {
    for (; pairs != 0 && reader.text(key); --pairs) {
      if (!(key == "code" ? reader.text(code) : key == "filename" ? reader.text(filename) : reader.skip())) break;
    }
  }
  if (reader.fault() != nullptr) {
    return PyErr_Format(PyExc_ValueError, "byte %zu: %s", reader.offset(), reader.fault());
  }
  return Py_BuildValue("s#s#", code.data(), static_cast<Py_ssize_t>(code.size()), filename.data(),
                       static_cast<Py_ssize_t>(filename.size()));
}

// Nanoseconds per encoding and per decoding of `value`, and the size: (encode, decode, bytes).
PyObject* time_value(PyObject*, PyObject* args) {
  PyObject* value = nullptr;
  unsigned int rounds = 0;
  if (PyArg_ParseTuple(args, "OI", &value, &rounds) == 0) return nullptr;
  using Clock = std::chrono::steady_clock;
  Bytes out;
  const auto start = Clock::now();
  for (unsigned i = 0; i < rounds; ++i) {
    out.clear();
    if (!encode_value(value, {}, out)) return nullptr;
  }
  const auto middle = Clock::now();
  for (unsigned i = 0; i < rounds; ++i) {
    const PyRef result(decode_value(out, {}));
    if (!result) return nullptr;
  }
  const auto end = Clock::now();
  const auto each = [&](auto time) { return std::chrono::duration<double, std::nano>(time).count() / rounds; };
  return Py_BuildValue("ddn", each(middle - start), each(end - middle), static_cast<Py_ssize_t>(out.size()));
}

// Every call of CborWriter once, in one array.
PyObject* writer_sample(PyObject*, PyObject*) {
  Bytes out;
  CborWriter writer(out);
  const std::uint8_t raw[] = {0, 255};
  writer.array(11);
  writer.null();
  writer.boolean(true);
  writer.boolean(false);
  writer.integer(-1);
  writer.integer(INT64_MIN);
  writer.integer(INT64_MAX);
  writer.unsigned_integer(UINT64_MAX);
  writer.float64(-0.5);
  writer.text("ü");
  writer.bytes(raw);
  writer.map(1);
  writer.text("k");
  writer.tag(cbor::kTagSet);
  writer.array(0);
  return to_python(out);
}

template <typename F>
PyCFunction function(F* f) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(f));
}

PyMethodDef methods[] = {
    {"encode", function(encode), METH_VARARGS | METH_KEYWORDS, nullptr},
    {"decode", function(decode), METH_VARARGS | METH_KEYWORDS, nullptr},
    {"skim", skim, METH_O, nullptr},
    {"read_command", read_command, METH_O, nullptr},
    {"time_value", time_value, METH_VARARGS, nullptr},
    {"writer_sample", writer_sample, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef_Slot slots[] = {
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, nullptr},
};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_value", nullptr, 0, methods, slots, nullptr, nullptr, nullptr,
};

}  // namespace

PyObject* init_value_module() { return PyModuleDef_Init(&definition); }

}  // namespace pyisolate
