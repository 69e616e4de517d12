// How a request is answered: with its value, or with what went wrong.
#include <new>

#include "py_ref.h"
#include "python/guest.h"
#include "python/reserve.h"
#include "python/runtime.h"
#include "transport/exit_payload.h"

namespace pyisolate {

void Guest::answer(std::uint64_t id, PyObject* result) {
  std::vector<std::uint8_t> bytes;
  bool encoded = false;
  try {
    encoded = encode_value(result, budget_, bytes);
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  }
  if (encoded) {
    write(FrameType::result, id, bytes, false);
  } else {
    answer_error(id);
  }
}

// CPython's parser, its compiler and others report a lack of memory as nothing at all, which ends as a SystemError.
static void name_lack_of_memory() {
  if (!memory_was_refused() || !PyErr_ExceptionMatches(PyExc_SystemError)) return;
  PyErr_Clear();
  PyErr_NoMemory();
}

bool Guest::answer_error(std::uint64_t id) {
  name_lack_of_memory();
  const PyRef error(PyErr_GetRaisedException());
  if (error && PyErr_GivenExceptionMatches(error.get(), PyExc_SystemExit)) {
    const PyRef code(PyObject_CallMethod(half_, "exit_code", "O", error.get()));
    exit_code_ = code ? static_cast<int>(PyLong_AsLong(code.get())) : 1;
    PyErr_Clear();
    const PyRef done(PyObject_CallMethod(half_, "finish", nullptr));
    PyErr_Clear();
    say_exit("exit", exit_code_, "");
    return true;
  }
  const PyRef description(error ? PyObject_CallMethod(half_, "describe", "O", error.get()) : nullptr);
  if (!description) PyErr_Clear();
  if (description) {
    send_error(id, description.get());
  } else {
    // Describing it failed as well (no memory, or the guest took the library apart): the bare name then.
    send_undescribed(id, error ? Py_TYPE(error.get())->tp_name : "Exception", "(the error could not be described)");
  }
  return false;
}

void Guest::send_error(std::uint64_t id, PyObject* description) {
  std::vector<std::uint8_t> bytes;
  if (encode_value(description, Budget{}, bytes)) {
    write(FrameType::error, id, bytes, false);
    return;
  }
  send_undescribed(id, "Exception", "(the error could not be described: " + take_exception_text() + ")");
}

void Guest::send_undescribed(std::uint64_t id, const char* type, const std::string& message) {
  std::vector<std::uint8_t> bytes;
  CborWriter cbor(bytes);
  cbor.map(5);
  cbor.text("type"), cbor.text(type);
  cbor.text("module"), cbor.text("builtins");
  cbor.text("message"), cbor.text(message);
  cbor.text("traceback"), cbor.text("");
  cbor.text("frames"), cbor.array(0);
  write(FrameType::error, id, bytes, false);
}

void Guest::say_exit(const char* kind, int code, const std::string& message) {
  write(FrameType::exit, 0, exit_payload(kind, code, message), false);
}

}  // namespace pyisolate
