#include "cell/interpreter_cell.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <mutex>
#include <optional>
#include <system_error>

#include "cbor_writer.h"
#include "cell/resident.h"
#include "python/denied_calls.h"
#include "python/guest.h"
#include "python/interpreter.h"
#include "python/process_switches.h"
#include "transport/exit_payload.h"
#include "transport/init_request.h"
#include "zygote/control.h"

namespace pyisolate {
namespace {

// How long an interpreter may take to end after its sandbox has, before the cell is ended with it.
constexpr long kLeaveGraceMs = 200;

// Descriptors of the cell's own: standard streams, the supervisor's bell, the control socket and `bell`.
constexpr std::int64_t kOwnDescriptors = 6;
// What making an interpreter opens at once, and what comes with a packet.
constexpr std::int64_t kPerStart = 8;

int bell = -1;  // eventfd: an interrupt came, or a sandbox left

void ring(int) {
  const int saved = errno;
  const std::uint64_t one = 1;
  (void)!write(bell, &one, sizeof one);
  errno = saved;
}

class InterpreterCell {
 public:
  InterpreterCell(Confinement& prepared, Channel& channel)
      : prepared_(prepared), channel_(channel), ready_(ready_payload(prepared.report)) {}

  // The cell's own init: its limits.
  void init();
  [[noreturn]] void serve();

 private:
  bool attach(const ControlPacket& packet);
  void share(const Resident::Need& change);
  void watch_channel();
  void sweep();
  int next_look();
  [[noreturn]] void end(const char* kind, int code, const std::string& message);

  Confinement& prepared_;
  Channel& channel_;
  std::vector<std::uint8_t> ready_;
  std::list<Resident> residents_;
  std::mutex share_lock_;
  Resident::Need need_;
  std::int64_t bells_ = 0;  // one per resident; main thread only
  std::atomic<bool> closed_{false};
};

void InterpreterCell::init() {
  std::optional<Frame> frame;
  while (!frame) frame = channel_.read(std::nullopt);
  if (frame->type == FrameType::close) end("closed", 0, "");
  InitRequest request;
  request.limits.threads = 256;
  request.limits.open_files = 1024;
  if (const char* fault = read_init(frame->payload, request); fault != nullptr) {
    end("internal", 70, std::string("the cell's init is malformed: ") + fault);
  }
  request.limits.reserve = 8ull << 30;  // rings and stacks of its sandboxes; only reserved
#ifndef PYISOLATE_UNCONFINED
  if (!apply_limits(request.limits, prepared_.memory)) end("internal", 70, "the cell's limits can't be set");
#endif
  std::vector<std::uint8_t> bytes;
  CborWriter(bytes).null();
  channel_.write(FrameType::result, frame->id, bytes);
}

// The soft limit follows the sandboxes: together they have as many files as they were each promised.
void InterpreterCell::share(const Resident::Need& change) {
  std::lock_guard guard(share_lock_);
  need_.starting += change.starting;
  need_.open_files += change.open_files;
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const auto wanted = kOwnDescriptors + bells_ + need_.open_files + kPerStart * need_.starting;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, wanted);
  setrlimit(RLIMIT_NOFILE, &limit);
}

// The channel's own word can't be polled beside descriptors: a thread with next to no stack waits for it.
void InterpreterCell::watch_channel() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 128 << 10);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  const auto body = [](void* self) -> void* {
    auto* cell = static_cast<InterpreterCell*>(self);
    for (;;) {
      const auto frame = cell->channel_.read(std::nullopt);
      if (!frame || frame->type != FrameType::close) continue;
      cell->closed_.store(true);
      ring(0);
      return nullptr;
    }
  };
  if (pthread_create(&thread, &attributes, body, this) != 0) end("internal", 70, "no thread to listen with");
  pthread_attr_destroy(&attributes);
}

bool InterpreterCell::attach(const ControlPacket& packet) {
  std::unique_ptr<Channel> channel;
  try {
    channel = std::make_unique<Channel>(packet.descriptors[0], packet.descriptors[1]);
    channel->greet(packet.descriptors[1], std::nullopt);
  } catch (const std::exception&) {
    return false;  // no memory to map it, or no supervisor's hello in it
  }
  close(packet.descriptors[0]);
  residents_.emplace_back(
      std::move(channel), prepared_.preload, prepared_.notify_filter, ready_, [] { ring(0); },
      [this](const Resident::Need& change) { share(change); });
  return true;
}

void InterpreterCell::sweep() {
  for (auto it = residents_.begin(); it != residents_.end();) {
    it->look_for_interrupt();
    if (it->leaving_ms() > kLeaveGraceMs) end("internal", 75, "a sandbox of this cell could not be ended");
    if (it->gone()) {
      --bells_;
      it = residents_.erase(it);
    } else {
      ++it;
    }
  }
}

int InterpreterCell::next_look() {
  int next = -1;
  auto sooner = [&next](int ms) { next = next < 0 ? ms : std::min(next, ms); };
  for (Resident& resident : residents_) {
    if (resident.leaving_ms() > 0) sooner(static_cast<int>(kLeaveGraceMs) / 4);
    const int cpu = resident.watch_cpu();
    if (cpu == 0) end("internal", 75, "a sandbox of this cell used up its CPU time and could not be interrupted");
    if (cpu > 0) sooner(cpu);
  }
  return next;
}

void InterpreterCell::end(const char* kind, int code, const std::string& message) {
  channel_.try_write(FrameType::exit, 0, exit_payload(kind, code, message));  // whatever a guest has done to the ring
  _exit(code);
}

void InterpreterCell::serve() {
  watch_channel();
  for (;;) {
    pollfd ends[2] = {{kCellControlFd, POLLIN, 0}, {bell, POLLIN, 0}};
    poll(ends, 2, next_look());
    std::uint64_t rung;
    (void)!read(bell, &rung, sizeof rung);
    sweep();
    if (closed_.load()) end("closed", 0, "");
    if ((ends[0].revents & (POLLIN | POLLHUP)) == 0) continue;
    ControlPacket packet;
    ++bells_;
    share({.starting = 1});  // room for the packet's descriptors
    const Receive got = receive(kCellControlFd, packet);
    if (got == Receive::closed) end("closed", 0, "");
    const bool attaches = got == Receive::packet &&
                          packet.header.kind == static_cast<std::uint32_t>(ControlKind::attach) &&
                          packet.descriptors.size() == 2;
    if (!attaches || !attach(packet)) {
      --bells_;
      for (const int fd : packet.descriptors) close(fd);
    }
    share({.starting = -1});
  }
}
}  // namespace

void run_interpreter_cell(Confinement& prepared, int segment, int supervisor_bell, int control, int supervisor_socket) {
  auto channel = enter_cell(prepared, segment, supervisor_bell, control, supervisor_socket);
  bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct sigaction action = {};
  action.sa_handler = ring;
  sigaction(SIGINT, &action, nullptr);
  disable_process_switches(prepared.brokered);
  tell_denied_calls();  // once more, over what has just been put there
  install_accounting();
  limit_threads();
  InterpreterCell cell(prepared, *channel);
  cell.init();
  PyEval_SaveThread();  // the main interpreter rests from here on
  cell.serve();
}

}  // namespace pyisolate
