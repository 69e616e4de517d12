// A cell and the broker: how it is taken over, ruled, and told of.
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "broker/broker.h"
#include "cell_tell.h"
#include "denials.h"
#include "system_failure.h"
#include "watchdog.h"

namespace pyisolate {

// A cell that is about to be ready offers the listener of its filter, and waits: no guest has run in it. In a shared
// cell others have, who can change the number; what isn't a listener is no use to anybody.
void Cell::take_listener() {
  auto& word = channel_->segment().header().listener;
  const std::uint32_t offered = word.load(std::memory_order_acquire);
  if (offered == 0 || offered == kListenerTaken || state_ != State::live) return;
  const int process = parent_ ? parent_->process_.pidfd() : process_.pidfd();
  const auto fail = [&](const char* what) {
    table_.reset();
    const int error = errno;
    tell([&](CellEvents& events) {
      closed_ = true;
      events.fork_failed(error, what);
    });
  };
  guest_thread_ = channel_->segment().header().thread.load(std::memory_order_relaxed);
  UniqueFd listener(static_cast<int>(::syscall(SYS_pidfd_getfd, process, static_cast<int>(offered - 1), 0)));
  std::uint64_t none = 0;
  const bool sound = listener && (::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &none) == 0 || errno == ENOENT);
  UniqueFd pidfd(::fcntl(process, F_DUPFD_CLOEXEC, 0));
  if (!sound || !pidfd) return fail("take a cell's calls over (pidfd_getfd: CAP_SYS_PTRACE, or the cell's own uid)");
  try {
    client_ = broker::Broker::instance().add(std::move(listener), std::move(pidfd), loop_->denials().events());
  } catch (const SystemFailure& failure) {
    errno = failure.error();
    return fail(failure.what());
  }
  client_->set_socket_marks(std::move(socket_marks_));
  client_->set_policy(std::move(table_), true);
  table_.reset();
  loop_->denials().add(client_->id(), *this);
  Watchdog::instance().set_broker_client(target_, client_->id());
  word.store(kListenerTaken, std::memory_order_release);
  ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void Cell::leave_broker() {
  table_.reset();
  if (asking_) {
    loop_->denials().remove(asking_->id());
    asking_->events()->forget(asking_->id());
    asking_.reset();
  }
  if (!client_) return;
  loop_->denials().remove(client_->id());
  broker::Broker::instance().remove(client_->id());
  client_.reset();
}

std::uint32_t Cell::set_policy(std::shared_ptr<const broker::Table> table, bool begins) {
  if (client_) return client_->set_policy(std::move(table), begins);
  if (!table_) return 0;
  table_ = std::move(table);  // taken over with the listener
  return 1;
}

void Cell::mark_sockets(std::shared_ptr<const broker::SocketMarks> marks) {
  if (client_) return client_->set_socket_marks(std::move(marks));
  socket_marks_ = std::move(marks);  // taken over with the listener
}

std::uint32_t Cell::serve(std::shared_ptr<const broker::Table> table) {
  if (client_ || table_ || closed_ || state_ == State::gone) return 0;
  const bool begins = !asking_;
  if (begins) {
    auto& denials = loop_->denials();
    asking_ = broker::Broker::instance().add_asking(denials.events());
    denials.add(asking_->id(), *this);
  }
  return asking_->set_policy(std::move(table), begins);
}

void Cell::learn_name(const broker::Address& address, std::string name) {
  if (const auto client = asking()) client->learn_name(address, std::move(name));
}

void Cell::on_denied(const broker::Event& event) {
  if (closed_ || state_ == State::gone) return;
  tell([&](CellEvents& events) { events.denied(event); });
}

void Cell::tell_denials() {
  const auto client = asking();
  if (!client) return;
  for (const broker::Event& event : client->events()->take(client->id())) on_denied(event);
}

// The counts are the cell's: whatever is in them is no more than what it says.
void Cell::tell_refusals() {
  for (std::uint32_t limit = 0; limit < kRefusedKinds && !closed_; ++limit) {
    const std::uint32_t count = channel_->segment().header().refused[limit].load(std::memory_order_acquire);
    const std::uint32_t more = count - std::exchange(refusals_told_[limit], count);
    if (more != 0) tell([&](CellEvents& events) { events.refused(limit, more); });
  }
}

}  // namespace pyisolate
