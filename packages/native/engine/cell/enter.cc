#include "cell/enter.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "cbor_writer.h"
#include "confine/landlock.h"
#include "confine/notify.h"
#include "confine/seccomp.h"

namespace pyisolate {
namespace {

// Ends with the supervisor, however that ends. Last, as changes of credentials clear it (prctl(2)).
void follow_supervisor(int socket) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  pollfd end = {socket, 0, 0};
  if (poll(&end, 1, 0) > 0 && (end.revents & POLLHUP) != 0) _exit(0);
}

void keep_descriptors(const World& world, int bell, int control) {
  for (int fd = 0; fd <= 2; ++fd) dup2(world.null, fd);
  // Out of the way of the two numbers first.
  const int high_bell = fcntl(bell, F_DUPFD_CLOEXEC, 16);
  const int high_control = control < 0 ? -1 : fcntl(control, F_DUPFD_CLOEXEC, 16);
  dup3(high_bell, kCellBellFd, O_CLOEXEC);
  if (high_control >= 0) dup3(high_control, kCellControlFd, O_CLOEXEC);
  syscall(SYS_close_range, high_control >= 0 ? kCellControlFd + 1 : kCellBellFd + 1, ~0u, 0);
}

[[noreturn]] void refuse(Channel& channel, const Report& report) {
  std::vector<std::uint8_t> bytes;
  CborWriter cbor(bytes);
  std::uint64_t missing = 0;
  std::string text = "this host can't confine a cell:";
  for (const Mechanism& m : report.mechanisms()) {
    if (!m.active && m.essential) ++missing, text += std::string(" ") + m.name + " (" + m.detail + ")";
  }
  cbor.map(4);
  cbor.text("kind"), cbor.text("refused");
  cbor.text("code"), cbor.integer(77);
  cbor.text("message"), cbor.text(text);
  cbor.text("missing"), cbor.array(missing);
  for (const Mechanism& m : report.mechanisms()) {
    if (!m.active && m.essential) cbor.text(m.name);
  }
  channel.write(FrameType::exit, 0, bytes);
  _exit(77);
}

void confine([[maybe_unused]] Confinement& prepared, Report& report) {
#ifndef PYISOLATE_UNCONFINED
  drop_privileges(report, prepared.brokered);
  enter_landlock(prepared.ruleset, prepared.landlock_abi, prepared.landlock_error, report);
#else
  report.active("none", false, "built without confinement, for tests and benchmarks only");
#endif
}

// Before the baseline filter, which allows no guest to install a first one in a process of its own.
void enter_broker([[maybe_unused]] const Confinement& prepared, [[maybe_unused]] Channel& channel,
                  [[maybe_unused]] Report& report, [[maybe_unused]] bool shared) {
#ifndef PYISOLATE_UNCONFINED
  if (!prepared.brokered) return;
  // A shared cell's main thread has no listener, and its guests have native code: what that thread can reach by itself
  // must be as empty as the namespaces make it.
  if (shared && !(report.has("mount-namespace") && report.has("network-namespace")))
    return report.missing("broker", true, "mount and network namespaces, for a shared cell under a policy", EPERM);
  if (shared) return;
  const int listener = enter_notify(prepared.notify_filter);
  if (listener < 0) return report.missing("broker", true, "install the notifying filter", errno);
  channel.offer_listener(listener);
  report.active("broker", true, "calls on files and sockets are decided, and made, by the supervisor");
#endif
}

}  // namespace

std::vector<std::uint8_t> ready_payload(const Report& report) {
  std::vector<std::uint8_t> bytes;
  CborWriter cbor(bytes);
  cbor.map(1);
  cbor.text("enforcement"), cbor.array(report.mechanisms().size());
  for (const Mechanism& m : report.mechanisms()) {
    cbor.map(4);
    cbor.text("mechanism"), cbor.text(m.name);
    cbor.text("state"), cbor.text(m.active ? "active" : "unavailable");
    cbor.text("essential"), cbor.boolean(m.essential);
    cbor.text("detail"), cbor.text(m.detail);
  }
  return bytes;
}

std::unique_ptr<Channel> enter_cell(Confinement& prepared, int segment, int bell, int control, int supervisor_socket) {
  prctl(PR_SET_NAME, "pyisolate-cell");
  Report& report = prepared.report;
  std::unique_ptr<Channel> channel;
  try {
    channel = std::make_unique<Channel>(segment, kCellBellFd);
    // First of all: the supervisor does its part of it while this side goes on.
    channel->greet(bell, std::exchange(prepared.keys, std::nullopt));
  } catch (const std::exception&) {
    _exit(71);  // the supervisor sees a cell that died before it was ready
  }
  confine(prepared, report);
  follow_supervisor(supervisor_socket);
  keep_descriptors(prepared.world, bell, control);
  prepared.world.proc = prepared.world.null = prepared.ruleset = -1;
  enter_broker(prepared, *channel, report, control >= 0);
#ifndef PYISOLATE_UNCONFINED
  const bool tells = control < 0 && !prepared.lone_filter.empty();
  enter_seccomp(tells ? prepared.lone_filter : prepared.filter, prepared.filter_problem, report);
#endif
  if (report.lacking() != nullptr) refuse(*channel, report);
  channel->write_ahead(FrameType::ready, ready_payload(report));
  return channel;
}

}  // namespace pyisolate
