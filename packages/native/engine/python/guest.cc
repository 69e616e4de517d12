#include "python/guest.h"

#include <new>

#include "py_ref.h"
#include "python/native_module.h"
#include "python/refusals.h"
#include "python/reserve.h"
#include "python/runtime.h"
#include "transport/init_request.h"

namespace pyisolate {

Guest::Guest(Channel& channel, PyObject* python_half, ApplyLimits apply_limits, bool main_interpreter)
    : channel_(channel),
      inbox_(channel),
      half_(python_half),
      apply_limits_(std::move(apply_limits)),
      main_interpreter_(main_interpreter) {}

// Lets the thread state go while `body` waits; `checker` takes it back to look at signals.
template <class Body>
static auto detached(PyThreadState*& state, Body body) {
  state = PyEval_SaveThread();
  struct Restore {
    PyThreadState*& state;
    ~Restore() { PyEval_RestoreThread(state); }
  } restore{state};
  return body();
}

bool Guest::stop_requested() {
  if (interrupt_.exchange(false)) {
    PyThreadState_SetAsyncExc(thread_, nullptr);  // the same request, on its other way
    PyErr_SetNone(ending_.load() ? PyExc_SystemExit : PyExc_KeyboardInterrupt);
    return true;
  }
  return PyErr_CheckSignals() != 0;
}

Inbox::Interrupted Guest::checker(PyThreadState*& state) {
  return [this, &state] {
    PyEval_RestoreThread(state);
    const bool stop = stop_requested();
    state = PyEval_SaveThread();
    return stop;
  };
}

// An interrupt that came while its request was ending is not for the next one.
void Guest::settle() {
  interrupt_.store(false);
  if (!main_interpreter_) PyThreadState_SetAsyncExc(thread_, nullptr);
}

void Guest::disturb(Interrupt what, const char* why) {
  if (what == Interrupt::end) {
    ending_why_.store(why);
    ending_.store(true);
  }
  {
    std::lock_guard guard(sleep_lock_);
    interrupt_.store(true);
  }
  sleep_over_.notify_all();
  channel_.wake();
}

bool Guest::sleep(double seconds) {
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  const bool mine = PyThread_get_thread_ident() == thread_;
  PyThreadState* state;
  detached(state, [&] {
    std::unique_lock lock(sleep_lock_);
    sleep_over_.wait_until(lock, until, [&] { return mine && interrupt_.load(); });
    return true;
  });
  return !(mine && stop_requested());
}

bool Guest::write(FrameType type, std::uint64_t id, std::span<const std::uint8_t> payload, bool interruptible) {
  PyThreadState* state;
  const auto check = interruptible ? checker(state) : Inbox::Interrupted();
  return detached(state, [&] { return channel_.write(type, id, payload, check); });
}

bool Guest::post(PyObject* value) {
  std::vector<std::uint8_t> bytes;
  return encode_value(value, budget_, bytes) && write(FrameType::post, 0, bytes, true);
}

bool Guest::output(int stream, std::span<const std::uint8_t> bytes) {
  const FrameType type = stream == 2 ? FrameType::err : FrameType::out;
  // In pieces that fit the ring, so that a wait for room can be interrupted between them.
  const std::size_t most = channel_.ring_bytes() / 2;
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), most));
    if (!write(type, 0, piece, true)) return false;
    bytes = bytes.subspan(piece.size());
  }
  return true;
}

PyObject* Guest::recv(double seconds) {
  Deadline until;
  if (seconds >= 0) {
    until = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }
  Frame frame;
  PyThreadState* state;
  const auto check = checker(state);
  switch (detached(state, [&] { return inbox_.message(frame, until, check); })) {
    case Inbox::Wait::got: return decode_value(frame.payload, budget_);
    case Inbox::Wait::timeout:
      PyErr_SetString(PyExc_TimeoutError, "no message from the supervisor in time");
      return nullptr;
    case Inbox::Wait::closed: PyErr_SetString(PyExc_EOFError, "the supervisor has closed this sandbox"); return nullptr;
    case Inbox::Wait::interrupted: break;
  }
  return nullptr;
}

PyObject* Guest::host_call(PyObject* name, PyObject* args, PyObject* kwargs) {
  const PyRef request(Py_BuildValue("{s:O,s:O,s:O}", "name", name, "args", args, "kwargs", kwargs));
  std::vector<std::uint8_t> bytes;
  if (!request || !encode_value(request.get(), budget_, bytes)) return nullptr;
  const std::uint64_t id = next_call_.fetch_add(1);
  const Inbox::Awaited awaited(inbox_, id);
  if (!write(FrameType::host_call, id, bytes, true)) return nullptr;
  Frame frame;
  PyThreadState* state;
  const auto check = checker(state);
  const auto wait = detached(state, [&] { return inbox_.reply(id, frame, check); });
  if (wait == Inbox::Wait::closed) PyErr_SetString(PyExc_EOFError, "the supervisor has closed this sandbox");
  if (wait != Inbox::Wait::got) return nullptr;
  PyRef value(decode_value(frame.payload, budget_));
  if (!value) return nullptr;
  return Py_BuildValue("(NN)", PyBool_FromLong(frame.type == FrameType::reply), value.release());
}

bool Guest::tell_denied(const char* operation, PyObject* object) {
  const PyRef name(PyUnicode_FromString("__denied_call__")), args(Py_BuildValue("(sO)", operation, object));
  const PyRef kwargs(PyDict_New());
  // What the supervisor thinks of it is no matter of the guest's: its own error is on the way.
  return name && args && kwargs && PyRef(host_call(name.get(), args.get(), kwargs.get()));
}

bool Guest::wait_for_request(Clock::duration time) {
  PyThreadState* state;
  const Deadline until = Clock::now() + time;
  return detached(state, [&] { return inbox_.has_request(until); });
}

int Guest::serve() {
  thread_ = PyThread_get_thread_ident();
  bool bound = bind_guest(this);
  become_current(this);
  functions_ = PyFrozenSet_New(nullptr);
  if (!bound || functions_ == nullptr) {
    say_exit("internal", 70, "the sandbox can't be bound: " + take_exception_text());
    return 70;
  }
  for (;;) {
    Frame frame;
    PyThreadState* state;
    const auto check = checker(state);
    Inbox::Wait wait;
    try {
      wait = detached(state, [&] { return inbox_.request(frame, check); });
    } catch (const std::bad_alloc&) {
      say_exit("memory", 1, "no memory left for a request");
      return 1;
    }
    if (wait == Inbox::Wait::interrupted) {
      PyErr_Clear();  // nothing was running
      if (!ending_.load()) continue;
      say_exit(ending_why_.load(), 0, "");
      return 0;
    }
    if (handle(frame) == Next::end) return exit_code_;
  }
}

Guest::Next Guest::handle(const Frame& frame) {
  if (frame.type == FrameType::close) {
    const PyRef done(PyObject_CallMethod(half_, "finish", nullptr));
    PyErr_Clear();  // atexit has printed what its functions raised
    say_exit("closed", 0, "");
    return Next::end;
  }
  open_reserve();
  memory_was_refused();
  PyRef result;
  try {
    result = PyRef(perform(frame));
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  }
  open_reserve();
  const Next next = conclude(frame, result);
  close_reserve();
  return next;
}

Guest::Next Guest::conclude(const Frame& frame, const PyRef& result) {
  if (ending_.load()) {
    PyErr_Clear();
    say_exit(ending_why_.load(), 0, "");
    return Next::end;
  }
  if (!main_interpreter_) settle();
  if (frame.type == FrameType::init && frame.id == kUnansweredId) {
    if (result) return Next::serve;
    exit_code_ = 70;
    say_exit("internal", exit_code_, "the sandbox could not be initialised: " + take_exception_text());
    return Next::end;
  }
  if (result) {
    answer(frame.id, result.get());
    return Next::serve;
  }
  return answer_error(frame.id) ? Next::end : Next::serve;
}

PyObject* Guest::perform(const Frame& frame) {
  if (frame.type == FrameType::init && !initialised_) return init(frame);
  if (!initialised_) {
    PyErr_SetString(PyExc_RuntimeError, "the sandbox has not been initialised");
    return nullptr;
  }
  const PyRef request(decode_value(frame.payload, budget_));
  if (!request) return nullptr;
  if (!PyDict_Check(request.get())) {
    PyErr_SetString(PyExc_TypeError, "a request must be a map");
    return nullptr;
  }
  auto item = [&](const char* key) { return PyDict_GetItemString(request.get(), key); };
  switch (frame.type) {
    case FrameType::exec:
    case FrameType::eval: {
      const char* compiler = frame.type == FrameType::exec ? "compile_program" : "compile_expression";
      const PyRef code(PyObject_CallMethod(half_, compiler, "OO", item("code"), item("filename")));
      if (!code) return nullptr;
      close_reserve();
      return PyObject_CallMethod(half_, "run", "OO", namespace_, code.get());
    }
    case FrameType::call:
      close_reserve();
      return PyObject_CallMethod(half_, "call", "OOOO", namespace_, item("name"), item("args"), item("kwargs"));
    default: PyErr_Format(PyExc_RuntimeError, "unknown request %d", static_cast<int>(frame.type)); return nullptr;
  }
}

PyObject* Guest::init(const Frame& frame) {
  InitRequest request;
  request.budget = budget_;
  if (const char* fault = read_init(frame.payload, request); fault != nullptr) {
    return PyErr_Format(PyExc_ValueError, "a malformed init: %s", fault);
  }
  request.limits.reserve = 2 * channel_.ring_bytes();
  cpu_limit_ = request.limits.cpu_seconds;
  budget_ = request.budget;
  if (!apply_limits_(request.limits)) return PyErr_SetFromErrno(PyExc_OSError);
  if (request.function_count > 0) {
    const PyRef names(decode_value(request.functions, Budget{}));
    PyObject* set = names ? PyFrozenSet_New(names.get()) : nullptr;
    if (set == nullptr) return nullptr;
    Py_SETREF(functions_, set);
  }
  const PyRef inputs(request.input_count > 0 ? decode_value(request.inputs, Budget{}) : Py_NewRef(Py_None));
  if (!inputs) return nullptr;
  const PyRef settings(request.setting_count > 0 ? decode_value(request.settings, Budget{}) : Py_NewRef(Py_None));
  if (!settings) return nullptr;
  namespace_ = PyObject_CallMethod(half_, "open_sandbox", "OO", inputs.get(), settings.get());
  if (namespace_ == nullptr) return nullptr;
  initialised_ = true;
  return Py_NewRef(Py_None);
}

}  // namespace pyisolate
