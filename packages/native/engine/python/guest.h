// One sandbox as the interpreter it runs in sees it: serves the supervisor's requests and the guest's calls.
//
// Threads: serve() on the sandbox's own thread, the rest on any thread of its interpreter; all with an
// attached thread state, which is let go wherever they wait.
#pragma once

#include <Python.h>

#include <atomic>
#include <functional>
#include <string>

#include "cbor_writer.h"
#include "confine/privileges.h"
#include "py_ref.h"
#include "transport/inbox.h"
#include "value.h"

namespace pyisolate {

class Guest {
 public:
  // Applies the limits of `init`; false with errno.
  using ApplyLimits = std::function<bool(const Limits&)>;

  Guest(Channel& channel, PyObject* python_half, ApplyLimits apply_limits, bool main_interpreter);

  // Serves until the sandbox ends; returns what an `exit` would have said. The `exit` frame is sent.
  int serve();

  // Whether a request has come within `time`; serve() finds it.
  bool wait_for_request(Clock::duration time);

  // Called from another thread, without a thread state: a request to stop what runs (interpreter cells).
  // `why` is the kind of exit that an end is reported as.
  void disturb(Interrupt what, const char* why = "closed");
  double cpu_limit_seconds() const { return cpu_limit_; }

  // Counts what a limit refused (Channel::count_refusal). Any thread, with or without a thread state.
  void refused(Refused what) noexcept { channel_.count_refusal(what); }
  // Tells that no policy lets the guest make a call: `operation` is `exec` of a program, or `call` by name. Waits for
  // the supervisor to have it. False with an exception set.
  bool tell_denied(const char* operation, PyObject* object);

  // For the module _pyisolate. False or null with an exception set.
  bool post(PyObject* value);
  PyObject* recv(double seconds);  // negative: no end
  PyObject* host_call(PyObject* name, PyObject* args, PyObject* kwargs);
  bool output(int stream, std::span<const std::uint8_t> bytes);
  bool sleep(double seconds);
  PyObject* functions() { return functions_; }

 private:
  enum class Next { serve, end };
  Next handle(const Frame& frame);
  Next conclude(const Frame& frame, const PyRef& result);
  PyObject* perform(const Frame& frame);
  PyObject* init(const Frame& frame);
  void answer(std::uint64_t id, PyObject* result);
  bool answer_error(std::uint64_t id);  // true when the guest has asked to exit
  void send_error(std::uint64_t id, PyObject* description);
  void send_undescribed(std::uint64_t id, const char* type, const std::string& message);
  void say_exit(const char* kind, int code, const std::string& message);
  bool write(FrameType type, std::uint64_t id, std::span<const std::uint8_t> payload, bool interruptible);
  Inbox::Interrupted checker(PyThreadState*& state);
  bool stop_requested();
  void settle();
  double cpu_limit_ = 0;

  Channel& channel_;
  Inbox inbox_;
  Budget budget_;
  PyObject* half_;  // the module `guest`, borrowed
  ApplyLimits apply_limits_;
  bool main_interpreter_;
  bool initialised_ = false;
  int exit_code_ = 0;
  PyObject* namespace_ = nullptr;
  PyObject* functions_ = nullptr;
  unsigned long thread_ = 0;
  std::mutex sleep_lock_;
  std::condition_variable sleep_over_;
  std::atomic<std::uint64_t> next_call_{1};
  std::atomic<bool> interrupt_{false};
  std::atomic<bool> ending_{false};
  std::atomic<const char*> ending_why_{"closed"};
};

}  // namespace pyisolate
