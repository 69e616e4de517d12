#include "zygote.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <cstring>

#include "control_socket.h"
#include "launch.h"
#include "system_failure.h"

namespace pyisolate {
namespace {
constexpr std::size_t kStderrTail = 8 * 1024;
}

std::shared_ptr<Zygote> Zygote::launch(std::shared_ptr<Loop> loop, const ZygoteOptions& options,
                                       std::unique_ptr<ZygoteEvents> events) {
  auto control = control_pair();
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) throw SystemFailure("pipe2");
  UniqueFd errors(pipe[0]), errors_end(pipe[1]);
  ::fcntl(errors.get(), F_SETFL, O_NONBLOCK);
  // Opened and closed again: proof that there is a free descriptor for the pidfd before there is a process.
  UniqueFd spare(::fcntl(errors.get(), F_DUPFD_CLOEXEC, 0));
  if (!spare) throw SystemFailure("fcntl");
  const pid_t pid = launch_engine(options, control[1].get(), errors_end.get());
  spare.reset();
  UniqueFd pidfd = open_pidfd(pid);
  if (!pidfd) {
    const int error = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    throw SystemFailure("pidfd_open", error);
  }
  std::shared_ptr<Zygote> zygote(new Zygote(loop, std::move(events), options));
  zygote->process_ = Process(std::move(pidfd), pid);
  zygote->control_ = std::move(control[0]);
  zygote->stderr_ = std::move(errors);
  loop->note_pid(pid);
  try {
    loop->watch(zygote->control_.get(), EPOLLIN, *zygote);
    loop->watch(zygote->stderr_.get(), EPOLLIN, zygote->stderr_part_);
    loop->watch(zygote->process_.pidfd(), EPOLLIN, zygote->exit_part_);
  } catch (...) {
    zygote->shut_down();
    loop->forget_pid(pid);
    throw;
  }
  loop->add(zygote);
  return zygote;
}

std::shared_ptr<Cell> Zygote::fork(CellMode mode, const CellOptions& options, std::unique_ptr<CellEvents> events) {
  if (!control_ || closing_) throw SystemFailure("fork", EPIPE);
  CellOptions own = options;
  own.form = form_;
  auto cell = Cell::create(loop_, own, std::move(events), nullptr);
  const auto give_up = [&cell](int error) {
    cell->close();
    cell->on_fork_failed(error, {});  // closed: tells nobody, releases
    throw SystemFailure("sendmsg", error);
  };
  UniqueFd cell_end;
  if (mode == CellMode::interpreter) {
    try {
      auto pair = control_pair();
      cell->set_control(std::move(pair[0]));
      cell_end = std::move(pair[1]);
    } catch (const SystemFailure& failure) {
      cell->close();
      cell->on_fork_failed(failure.error(), {});
      throw;
    }
  }
  const std::uint32_t id = next_id_++;
  const ControlHeader header{static_cast<std::uint32_t>(ControlKind::fork), id, static_cast<std::int32_t>(mode), 0};
  const std::array<int, 3> descriptors{cell->memfd(), cell->bell(), cell_end.get()};
  const std::size_t count = mode == CellMode::interpreter ? 3 : 2;
  const int error = send_control(control_.get(), header, std::span(descriptors).first(count));
  if (error != 0) give_up(error);
  // The memfd stays open until the answer: closing it then makes room for the pidfd that comes with it.
  pending_.emplace(id, cell);
  if (form_) loop_->prepare_keys();
  return cell;
}

std::shared_ptr<Cell> Zygote::take_pending(std::uint32_t id) {
  auto node = pending_.extract(id);
  return node.empty() ? nullptr : std::move(node.mapped());
}

void Zygote::read_control() {
  const auto keep = shared_from_this();
  ControlMessage message;
  while (control_) {
    if (!pending_.empty()) pending_.begin()->second->drop_memfd();
    switch (receive_control(control_.get(), message)) {
      case Received::message: handle(message); break;
      case Received::none: return;
      case Received::closed:
        loop_->unwatch(control_.get(), *this);
        control_.reset();
        signal_process(process_.pidfd(), SIGKILL);  // its end is told by on_exit
        return;
    }
  }
}

void Zygote::on_ready(const ControlMessage& message) {
  const bool both = seal::has_kem() && message.header.value == kHasKem;
  if (both && hybrid_if_had_ && form_) form_ = seal::Form::hybrid;
  if (both || form_ != seal::Form::hybrid) return events_->ready(message.text);
  const auto* lacks = seal::has_kem() ? "the engine's libcrypto" : "this addon's libcrypto";
  events_->failed(EOPNOTSUPP,
                  std::string(lacks) + " has no ML-KEM-768 (OpenSSL 3.5 has): build with one, or without 'hybrid'");
  kill();
}

void Zygote::handle(ControlMessage& message) {
  switch (static_cast<ControlKind>(message.header.kind)) {
    case ControlKind::ready:
      if (events_) on_ready(message);
      break;
    case ControlKind::failed:
      if (events_) events_->failed(message.header.value, message.text);
      break;
    case ControlKind::forked:
      if (auto cell = take_pending(message.header.id)) {
        cell->drop_memfd();
        const bool came = static_cast<bool>(message.descriptor);
        Process process = came ? Process(std::move(message.descriptor)) : Process();
        if (process.pid() > 0) {
          cell->on_forked(std::move(process));
        } else {
          // Without its pid nobody could look at the CPU time it uses.
          if (came) signal_process(process.pidfd(), SIGKILL);
          process = Process();  // makes room for what the failure wants to say
          cell->on_fork_failed(came || message.descriptor_lost ? EMFILE : EPROTO,
                               came ? "no descriptor was left to learn the new process' pid"
                                    : "no descriptor came with the new process");
          lost_a_cell_ = true;  // the process is there all the same
        }
      }
      break;
    case ControlKind::fork_failed:
      if (auto cell = take_pending(message.header.id)) cell->on_fork_failed(message.header.value, message.text);
      break;
    default: break;
  }
  if (!pending_.empty()) return;
  // With no fork under way every child in its session is known, but for a lost one.
  if (lost_a_cell_) lost_a_cell_ = !loop_->sweep_orphans(process_.pid());
  if (closing_) kill();
}

void Zygote::read_stderr() {
  std::array<char, 4096> part;
  ssize_t got;
  while ((got = ::read(stderr_.get(), part.data(), part.size())) > 0) {
    stderr_tail_.append(part.data(), static_cast<std::size_t>(got));
    if (stderr_tail_.size() > kStderrTail) stderr_tail_.erase(0, stderr_tail_.size() - kStderrTail);
  }
  if (got == 0) {
    loop_->unwatch(stderr_.get(), stderr_part_);
    stderr_.reset();
  }
}

void Zygote::on_exit() {
  const auto reaped = process_.try_reap();
  if (!reaped) return;
  const auto keep = shared_from_this();
  read_control();  // cells it told about with its last breath
  if (stderr_) read_stderr();
  if (control_) loop_->unwatch(control_.get(), *this);
  if (stderr_) loop_->unwatch(stderr_.get(), stderr_part_);
  control_.reset();
  stderr_.reset();
  const pid_t pid = process_.pid();
  loop_->unwatch(process_.pidfd(), exit_part_);
  loop_->forget_pid(pid);
  process_.release_pidfd();
  unref();
  loop_->remove(keep);
  // Its end first: who asks again because a fork failed is to get another zygote.
  const auto events = std::move(events_);
  if (events) events->exited({reaped->code, reaped->signal, stderr_tail_});
  if (pending_.empty()) return;
  fail_pending(EPIPE, "the zygote ended before it made the cell");
  loop_->sweep_orphans(pid);
}

void Zygote::fail_pending(int error, const std::string& text) {
  const auto pending = std::move(pending_);
  pending_.clear();
  for (const auto& [id, cell] : pending) cell->on_fork_failed(error, text);
}

void Zygote::close() {
  closing_ = true;
  if (pending_.empty()) kill();
}

void Zygote::ref() {
  if (referenced_ || !process_) return;
  referenced_ = true;
  loop_->ref();
}

void Zygote::unref() {
  if (!referenced_) return;
  referenced_ = false;
  loop_->unref();
}

void Zygote::kill() { signal_process(process_.pidfd(), SIGKILL); }

void Zygote::shut_down() {
  const pid_t pid = process_.pid();
  process_.kill_and_reap();
  if (!pending_.empty()) loop_->sweep_orphans(pid);
  pending_.clear();
  control_.reset();
  stderr_.reset();
  events_.reset();
}

}  // namespace pyisolate
