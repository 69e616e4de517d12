#include "cell.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <array>
#include <climits>
#include <utility>

#include "cell_tell.h"
#include "control_socket.h"
#include "denials.h"
#include "system_failure.h"

namespace pyisolate {

// Between channel and listener: stops the reading when a callback paused or closed the cell.
class Cell::Tap final : public FrameSink {
 public:
  explicit Tap(Cell& cell) : cell_(cell) {}
  std::uint8_t* allocate(std::size_t bytes) override {
    if (!batch_) batch_.emplace(*cell_.events_);
    // What a guest was denied is told before what it says afterwards, whichever of two bells was heard first.
    cell_.tell_denials();
    cell_.tell_refusals();
    if (cell_.closed_) return nullptr;
    return cell_.events_->allocate(bytes);
  }
  bool deliver(std::uint8_t type, std::uint64_t id) override {
    if (cell_.closed_) return false;
    if (type == static_cast<std::uint8_t>(FrameType::exit)) cell_.saw_exit_frame_ = true;
    if (cell_.asked_) cell_.brisk_ = LookOut::Clock::now() - *std::exchange(cell_.asked_, {}) < LookOut::kMoment;
    const bool more = cell_.events_->deliver(type, id);
    // What a dead cell left is at most a ring full: it is delivered even if paused.
    return more && !cell_.closed_ && (!cell_.paused_ || cell_.state_ == State::dead) &&
           !(cell_.is_attached() && cell_.saw_exit_frame_);
  }

 private:
  Cell& cell_;
  std::optional<Batch> batch_;
};

std::shared_ptr<Cell> Cell::create(std::shared_ptr<Loop> loop, const CellOptions& options,
                                   std::unique_ptr<CellEvents> events, std::shared_ptr<Cell> parent) {
  UniqueFd bell(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!bell) throw SystemFailure("eventfd");
  std::shared_ptr<Cell> cell(new Cell(std::move(loop), options, std::move(events), std::move(parent)));
  cell->bell_ = std::move(bell);
  cell->loop_->watch(cell->bell_.get(), EPOLLIN, *cell);
  cell->loop_->add(cell);
  Watchdog::instance().add(cell->target_);
  return cell;
}

Cell::Cell(std::shared_ptr<Loop> loop, const CellOptions& options, std::unique_ptr<CellEvents> events,
           std::shared_ptr<Cell> parent)
    : loop_(std::move(loop)),
      parent_(std::move(parent)),
      events_(std::move(events)),
      channel_(FrameChannel::create(options.ring_bytes, options.max_frame_bytes, options.form, *loop_)),
      ring_bytes_(options.ring_bytes),
      table_(options.table) {
  target_.interrupt = &channel_->segment().header().interrupt;
  if (parent_) {
    target_.cell = &parent_->target_;
    state_ = State::live;
    parent_->attached_.insert(this);
  }
}

Cell::~Cell() {
  Watchdog::instance().remove(target_);
  if (parent_) parent_->attached_.erase(this);
}

pid_t Cell::pid() const { return parent_ ? parent_->pid() : process_.pid(); }

bool Cell::send(std::uint8_t type, std::uint64_t id, const std::uint8_t* payload, std::uint32_t length) {
  if (!channel_ || state_ == State::dead || closed_) return true;
  channel_->send(type, id, payload, length);
  if (!asked_) asked_ = LookOut::Clock::now();
  if (brisk_) loop_->look_out().expect(*this);
  if (channel_->corruption() != nullptr) {
    loop_->defer(*this);
    return true;
  }
  if (channel_->queued_bytes() <= ring_bytes_) return true;
  wants_drain_ = true;
  return false;
}

void Cell::resume() {
  paused_ = false;
  // Also while its frames are being delivered: a microtask may ask for it after the last one.
  if (channel_) loop_->defer(*this);
}

void Cell::limit_frames(std::uint32_t bytes) {
  if (channel_) channel_->limit_frames(bytes);
}

void Cell::interrupt(Interrupt mode) { Watchdog::instance().interrupt(target_, static_cast<std::uint32_t>(mode)); }
void Cell::kill(const std::string& reason) { Watchdog::instance().kill(target_, reason); }
void Cell::set_cpu_limit(double ms) { Watchdog::instance().set_cpu_limit(target_, ms); }
void Cell::set_deadline(std::size_t slot, double soft_ms, double hard_ms, std::string reason) {
  Watchdog::instance().set_deadline(target_, slot, soft_ms, hard_ms, std::move(reason));
}

ProcessUsage Cell::usage() const {
  if (state_ != State::live) return {};
  return parent_ ? parent_->usage() : process_.usage();
}

void Cell::ref() {
  if (referenced_ || state_ == State::gone) return;
  referenced_ = true;
  loop_->ref();
}

void Cell::unref() {
  if (!referenced_) return;
  referenced_ = false;
  loop_->unref();
}

std::shared_ptr<Cell> Cell::attach(CellOptions options, std::unique_ptr<CellEvents> events) {
  if (!control_ || closed_ || state_ == State::dead || state_ == State::gone) throw SystemFailure("attach", ESRCH);
  options.form = channel_->form();
  auto sandbox = create(loop_, options, std::move(events), shared_from_this());
  const ControlHeader header{static_cast<std::uint32_t>(ControlKind::attach), 0, 0, 0};
  const std::array<int, 2> descriptors{sandbox->memfd(), sandbox->bell()};
  if (const int error = send_control(control_.get(), header, descriptors); error != 0) {
    sandbox->close();
    throw SystemFailure("sendmsg", error);
  }
  sandbox->drop_memfd();
  if (options.form) loop_->prepare_keys();
  return sandbox;
}

void Cell::on_forked(Process process) {
  const auto keep = shared_from_this();
  drop_memfd();
  process_ = std::move(process);
  state_ = State::live;
  loop_->note_pid(process_.pid());
  if (closed_) return release();  // given up meanwhile
  Watchdog::instance().set_process(target_, process_.pidfd(), process_.pid());
  try {
    loop_->watch(process_.pidfd(), EPOLLIN, exit_watcher_);
  } catch (const SystemFailure& failure) {
    // Without a watch its end would never be seen: don't let it live.
    return tell([&](CellEvents& events) {
      closed_ = true;
      events.fork_failed(failure.error(), failure.what());
    });
  }
  tell([&](CellEvents& events) { events.forked(process_.pid()); });
  pump();  // it may have written before its birth was told
}

void Cell::on_fork_failed(int error, const std::string& text) {
  if (closed_) return release();
  tell([&](CellEvents& events) {
    closed_ = true;
    events.fork_failed(error, text);
  });
}

void Cell::on_events(std::uint32_t) { pump(); }

void Cell::start_looking() {
  if (channel_) channel_->ask_for_bell(false);
}

bool Cell::has_answered() const { return channel_ && channel_->anything(); }

void Cell::stop_looking(bool brisk) {
  if (!channel_) return;
  brisk_ = brisk;
  channel_->ask_for_bell(true);
  // It may have come before the cell could know that it is to ring.
  if (has_answered()) loop_->defer(*this);
}

void Cell::pump() {
  if (busy_ || !channel_ || state_ == State::forking || state_ == State::gone) return;
  const auto keep = shared_from_this();
  // From here on, as what is told below may close it: then it is let go of at the end, not under our feet.
  busy_ = true;
  if (table_) take_listener();
  if (!closed_ && state_ != State::dead) flush();
  if (!closed_) read_frames();
  busy_ = false;
  if (closed_ && state_ != State::gone) release();
}

void Cell::flush() {
  channel_->flush();
  if (channel_->queued_bytes() > 0 || !wants_drain_ || channel_->corruption() != nullptr) return;
  wants_drain_ = false;
  tell([](CellEvents& events) { events.drained(); });
}

void Cell::read_frames() {
  using Drain = FrameChannel::Drain;
  auto result = Drain::stopped;
  const bool over = is_attached() && saw_exit_frame_;
  tell_denials();  // the broker's word on a limit comes before the guest's
  tell_refusals();
  if (closed_) return;
  if (channel_->corruption() != nullptr) {
    result = Drain::corrupt;
  } else if (!over && (!paused_ || state_ == State::dead)) {
    Tap tap(*this);
    result = channel_->drain(tap);
  }
  if (closed_) return;
  if (result == Drain::corrupt && !corrupt_reported_) {
    corrupt_reported_ = true;
    tell([&](CellEvents& events) { events.corrupt(channel_->corruption()); });
    if (closed_) return;
  }
  if (result == Drain::budget) return loop_->defer(*this);
  if (state_ == State::dead || (is_attached() && saw_exit_frame_)) finish();
}

void Cell::on_process_exit() {
  const auto exit = process_.try_reap();
  if (!exit) return;
  const auto keep = shared_from_this();
  // Its pid is free for others from here on.
  Watchdog::instance().remove(target_);
  loop_->unwatch(process_.pidfd(), exit_watcher_);
  loop_->forget_pid(process_.pid());
  process_.release_pidfd();
  const auto attached = attached_;
  std::vector<std::shared_ptr<Cell>> kept;
  for (Cell* sandbox : attached) kept.push_back(sandbox->shared_from_this());
  for (const auto& sandbox : kept) sandbox->on_cell_exit(*exit);
  on_cell_exit(*exit);
}

// The process is gone: what it left in the ring is delivered before its end is told.
void Cell::on_cell_exit(const ProcessExit& exit) {
  if (state_ == State::gone || state_ == State::dead) return;
  Watchdog::instance().remove(target_);
  // What it was denied last comes before its end.
  if (asking()) loop_->denials().on_events(0);
  leave_broker();
  exit_ = exit;
  state_ = State::dead;
  loop_->defer(*this);
}

void Cell::finish() {
  CellExit exit;
  exit.process = exit_;
  exit.ended_alone = state_ != State::dead;
  exit.killed = Watchdog::instance().killed_by(target_, exit.killed_by);
  if (const auto ms = channel_->segment().header().over_cpu.load(); ms != 0 && !exit.killed && is_attached()) {
    exit.killed = true;
    exit.killed_by = "cpu:" + std::to_string(ms);
  }
  if (exit.ended_alone) exit.process.code = 0;
  if (is_attached() && !exit.ended_alone)
    exit.cell_killed = Watchdog::instance().killed_by(parent_->target_, exit.cell_killed_by);
  closed_ = true;  // the last word
  tell([&](CellEvents& events) { events.exited(exit); });
}

void Cell::close() {
  if (state_ == State::gone || closed_) return;
  closed_ = true;
  const auto keep = shared_from_this();
  if (state_ == State::forking) {
    kill("closed");  // delivered when it has been forked
    unref();
    return;
  }
  if (!busy_) release();
}

// Lets go of everything; a process that still lives is killed and reaped in the background.
void Cell::release() {
  if (state_ == State::gone) return;
  const auto keep = shared_from_this();
  const bool alive = state_ == State::live && process_;
  state_ = State::gone;
  Watchdog::instance().remove(target_);
  leave_broker();
  unref();
  loop_->cancel(*this);
  loop_->look_out().forget(*this);
  if (bell_) loop_->unwatch(bell_.get(), *this);
  bell_.reset();
  control_.reset();
  if (alive) {
    loop_->unwatch(process_.pidfd(), exit_watcher_);
    signal_process(process_.pidfd(), SIGKILL);
    const pid_t pid = process_.pid();
    loop_->reap_later(process_.release_pidfd(), pid);
    // Sandboxes of a cell that is closed under them end with it.
    ProcessExit exit;
    exit.signal = SIGKILL;
    const auto attached = attached_;
    for (Cell* sandbox : attached) sandbox->on_cell_exit(exit);
  }
  channel_.reset();
  if (parent_) parent_->attached_.erase(this);
  loop_->remove(keep);
  events_.reset();
}

void Cell::shut_down() {
  const auto keep = shared_from_this();
  closed_ = true;
  state_ = State::gone;
  Watchdog::instance().remove(target_);
  leave_broker();
  process_.kill_and_reap();
  bell_.reset();
  control_.reset();
  events_.reset();
}

}  // namespace pyisolate
