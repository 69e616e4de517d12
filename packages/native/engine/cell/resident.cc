#include "cell/resident.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "python/interpreter.h"
#include "python/runtime.h"

namespace pyisolate {
namespace {
// As much as a main thread has: CPython's C recursion limits count on it.
constexpr std::size_t kStackBytes = 8u << 20;
}  // namespace

Resident::Resident(const std::vector<std::string>& preload, const std::vector<std::uint8_t>& ready, std::function<void()> left)
    : preload_(preload), ready_(ready), left_(std::move(left)) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  const auto body = [](void* self) -> void* {
    static_cast<Resident*>(self)->run();
    return nullptr;
  };
  if (pthread_create(&thread, &attributes, body, this) != 0) gone_.store(true);
  pthread_attr_destroy(&attributes);
}

Resident::~Resident() = default;

bool Resident::assign(std::unique_ptr<Channel> channel) {
  std::lock_guard guard(lock_);
  if (assigned_ || gone_.load()) return false;
  channel_ = std::move(channel);
  assigned_ = true;
  changed_.notify_all();
  return true;
}

bool Resident::assigned() {
  std::lock_guard guard(lock_);
  return assigned_;
}

void Resident::dismiss() {
  std::lock_guard guard(lock_);
  dismissed_ = true;
  changed_.notify_all();
}

void Resident::run() {
  std::string problem;
  _ts* state = begin_interpreter(problem);
  PyObject* half = nullptr;
  if (state != nullptr) {
    use_account(&account_);
    half = load_guest_module("interpreter");
    if (half == nullptr) problem = take_exception_text();
    for (const std::string& module : preload_) {
      if (problem.empty() && !preload(module, problem)) break;
    }
  }
  // Waits without its thread state, so that it holds up nobody's garbage collection.
  PyThreadState* saved = state != nullptr ? PyEval_SaveThread() : nullptr;
  {
    std::unique_lock lock(lock_);
    changed_.wait(lock, [this] { return assigned_ || dismissed_; });
  }
  if (saved != nullptr) PyEval_RestoreThread(saved);
  std::optional<Guest> guest;  // outlives the interpreter: its other threads may still call it
  if (assigned_ && problem.empty()) {
    guest.emplace(*channel_, half, [this](const Limits& limits) {
      account_.cap.store(limits.memory == 0 ? 0 : account_.used.load() + static_cast<std::int64_t>(limits.memory));
      return true;  // threads, files and address space are the cell's
    }, false);
    {
      std::lock_guard guard(lock_);
      guest_ = &*guest;
      state_ = state;
      thread_id_ = PyThread_get_thread_ident();
      thread_ = pthread_self();
    }
    channel_->write(FrameType::ready, 0, ready_);
    guest->serve();
    std::lock_guard guard(lock_);
    guest_ = nullptr;
    leaving_since_ = Clock::now();
    left_();
  } else if (assigned_) {
    refuse(problem);
  }
  if (state != nullptr) leave(state);
  std::lock_guard guard(lock_);
  leaving_since_ = {};
  gone_.store(true);
  left_();
}

void Resident::refuse(const std::string& problem) {
  // The supervisor waits for `ready`; what comes instead says why it won't.
  std::vector<std::uint8_t> bytes;
  CborWriter cbor(bytes);
  cbor.map(3);
  cbor.text("kind"), cbor.text("internal");
  cbor.text("code"), cbor.integer(70);
  cbor.text("message"), cbor.text("no interpreter: " + problem);
  channel_->write(FrameType::exit, 0, bytes);
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
}

void Resident::look_for_interrupt() {
  std::lock_guard guard(lock_);
  if (guest_ == nullptr) return;
  const auto asked = static_cast<Interrupt>(channel_->header().interrupt.exchange(0));
  if (asked == Interrupt::none) return;
  raise_in(state_, thread_id_, asked == Interrupt::end);
  guest_->disturb(asked);
}

int Resident::watch_cpu() {
  std::lock_guard guard(lock_);
  if (guest_ == nullptr || guest_->cpu_limit_seconds() <= 0) return -1;
  clockid_t clock;
  timespec used;
  if (pthread_getcpuclockid(thread_, &clock) != 0 || clock_gettime(clock, &used) != 0) return -1;
  const double left = guest_->cpu_limit_seconds() * 1e3 - (used.tv_sec * 1e3 + used.tv_nsec / 1e6);
  if (left > 0) return static_cast<int>(std::min(left, 1e6)) + 1;
  raise_in(state_, thread_id_, true);
  guest_->disturb(Interrupt::end, "cpu");
  return 100;
}

long Resident::leaving_ms() {
  std::lock_guard guard(lock_);
  if (leaving_since_ == Clock::time_point{}) return 0;
  return 1 + std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - leaving_since_).count();
}

}  // namespace pyisolate
