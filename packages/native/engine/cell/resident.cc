#include "cell/resident.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "confine/notify.h"
#include "python/interpreter.h"
#include "python/runtime.h"
#include "transport/exit_payload.h"

namespace pyisolate {
namespace {
// As much as a main thread has: CPython's C recursion limits count on it.
constexpr std::size_t kStackBytes = 8u << 20;

// How long a sandbox past its CPU limit may take to stop before its cell is ended.
constexpr auto kEndGrace = std::chrono::milliseconds(100);

// Negative when the clock can't be read.
double cpu_ms(clockid_t clock) {
  timespec used;
  return clock_gettime(clock, &used) == 0 ? used.tv_sec * 1e3 + used.tv_nsec / 1e6 : -1;
}
}  // namespace

Resident::Resident(std::unique_ptr<Channel> channel, const std::vector<std::string>& preload,
                   const std::vector<sock_filter>& notify_filter, const std::vector<std::uint8_t>& ready,
                   std::function<void()> changed, Share share)
    : preload_(preload),
      notify_filter_(notify_filter),
      ready_(ready),
      notify_(std::move(changed)),
      share_(std::move(share)),
      channel_(std::move(channel)) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  const auto body = [](void* self) -> void* {
    static_cast<Resident*>(self)->run();
    return nullptr;
  };
  if (const int error = pthread_create(&thread, &attributes, body, this); error != 0) {
    say_exit("internal", 71, std::string("no thread for the sandbox: ") + std::strerror(error));
    gone_ = true;
  }
  pthread_attr_destroy(&attributes);
}

bool Resident::gone() {
  std::lock_guard guard(lock_);
  return gone_;
}

void Resident::run() {
  share_({.starting = 1});
  std::string problem;
  _ts* state = enter_broker(problem) ? begin_interpreter(problem) : nullptr;
  PyObject* half = nullptr;
  if (state != nullptr) {
    use_account(&account_);
    half = load_guest_module("interpreter", !notify_filter_.empty());
    if (half == nullptr) problem = take_exception_text();
    for (const std::string& module : preload_) {
      if (problem.empty() && !preload(module, problem)) break;
    }
    if (problem.empty()) warm_up(half);
  }
  share_({.starting = -1});
  std::optional<Guest> guest;  // outlives the interpreter: its other threads may still call it
  if (problem.empty()) {
    guest.emplace(
        *channel_, half,
        [this](const Limits& limits) {
          account_.cap.store(limits.memory == 0 ? 0 : account_.used.load() + static_cast<std::int64_t>(limits.memory));
          open_files_ = static_cast<std::int64_t>(limits.open_files);
          share_({.open_files = open_files_});
          account_.threads.store(static_cast<std::int64_t>(limits.threads));
          if (limits.cpu_seconds > 0) notify_();  // there is something to watch
          return true;                            // address space is the cell's
        },
        false);
    if (begin_serving(*guest, state)) guest->serve();
    std::lock_guard guard(lock_);
    guest_ = nullptr;
    leaving_since_ = Clock::now();
    notify_();
  } else {
    // The supervisor waits for `ready`; what comes instead says why it won't.
    say_exit("internal", 70, "no interpreter: " + problem);
  }
  if (state != nullptr) leave(state);
  guest.reset();
  const auto notify = notify_;  // once it is gone and unlocked, the main thread may free it at any time
  {
    std::lock_guard guard(lock_);
    leaving_since_ = {};
    gone_ = true;
  }
  notify();
}

// Threads inherit filters: those that the guest starts from this one answer to the same broker table.
bool Resident::enter_broker([[maybe_unused]] std::string& problem) {
#ifndef PYISOLATE_UNCONFINED
  if (notify_filter_.empty()) return true;
  const int listener = enter_notify(notify_filter_);
  if (listener < 0) {
    problem = std::string("the notifying filter can't be installed: ") + std::strerror(errno);
    return false;
  }
  channel_->offer_listener(listener);
#endif
  return true;
}

bool Resident::begin_serving(Guest& guest, _ts* state) {
  std::lock_guard lock(lock_);
  if (cancelled_) return false;
  guest_ = &guest;
  state_ = state;
  thread_id_ = PyThread_get_thread_ident();
  thread_ = pthread_self();
  cpu_before_ms_ = cpu_ms(CLOCK_THREAD_CPUTIME_ID);  // making the interpreter isn't the guest's doing
  served_ = true;
  channel_->write_ahead(FrameType::ready, ready_);
  notify_();  // an interrupt may have come already
  return true;
}

void Resident::say_exit(const char* kind, int code, const std::string& message) {
  channel_->write(FrameType::exit, 0, exit_payload(kind, code, message));
}

// Other threads of the guest are told to end until they have; one that won't is ended with the cell, by
// the cell's main thread, which watches leaving_ms().
void Resident::leave(_ts* state) {
  while (other_threads(state) > 0) {
    end_other_threads(state);
    PyThreadState* saved = PyEval_SaveThread();
    usleep(2000);
    PyEval_RestoreThread(saved);
  }
  end_interpreter(state);
  forget_account(&account_);
  share_({.open_files = -open_files_});
}

void Resident::look_for_interrupt() {
  std::lock_guard guard(lock_);
  if ((served_ && guest_ == nullptr) || cancelled_) return;
  const auto asked = static_cast<Interrupt>(channel_->header().interrupt.exchange(0));
  if (asked == Interrupt::none) return;
  if (guest_ == nullptr) {  // its interpreter is still being made
    cancelled_ = true;
    say_exit("closed", 0, "");
    return;
  }
  raise_in(state_, thread_id_, asked == Interrupt::end);
  guest_->disturb(asked);
}

int Resident::watch_cpu() {
  std::lock_guard guard(lock_);
  if (guest_ == nullptr || guest_->cpu_limit_seconds() <= 0) return -1;
  clockid_t clock;
  if (pthread_getcpuclockid(thread_, &clock) != 0) return -1;
  const double used = cpu_ms(clock);
  if (used < 0) return -1;
  const double left = guest_->cpu_limit_seconds() * 1e3 - (used - cpu_before_ms_);
  if (left > 0) return static_cast<int>(std::min(left, 1e6)) + 1;
  const auto now = Clock::now();
  if (over_since_ == Clock::time_point{}) {
    over_since_ = now;
    raise_in(state_, thread_id_, true);
    guest_->disturb(Interrupt::end, "cpu");
  }
  if (now - over_since_ >= kEndGrace) {
    channel_->header().over_cpu.store(std::max(1u, static_cast<std::uint32_t>(guest_->cpu_limit_seconds() * 1e3)));
    return 0;
  }
  return 20;
}

long Resident::leaving_ms() {
  std::lock_guard guard(lock_);
  if (leaving_since_ == Clock::time_point{}) return 0;
  return 1 + std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - leaving_since_).count();
}

}  // namespace pyisolate
