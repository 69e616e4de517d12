#include "zygote/zygote.h"

#include <Python.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cell/interpreter_cell.h"
#include "cell/process_cell.h"
#include "confine/landlock.h"
#include "confine/notify.h"
#include "confine/privileges.h"
#include "confine/seccomp.h"
#include "probe/json.h"
#include "python/account.h"
#include "python/runtime.h"
#include "zygote/control.h"
#include "zygote/fork.h"
#include "zygote/huge_code.h"
#include "zygote/huge_pages.h"

namespace pyisolate {
namespace {

int give_up(const std::string& problem, int error) {
  send(kControlFd, ControlKind::failed, 0, error, problem);
  return 1;
}

// True when the supervisor is gone, or was never our parent.
bool orphaned(const ZygoteOptions& options) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (options.supervisor != 0 && getppid() != options.supervisor && getppid() != 0) return true;
  pollfd end = {kControlFd, 0, 0};
  return poll(&end, 1, 0) > 0 && (end.revents & (POLLHUP | POLLNVAL)) != 0;
}

// `told`: of the calls that the policy denies, those that the supervisor is told of.
void prepare_confinement(const ZygoteOptions& options, const std::vector<ToldCall>& told, Confinement& prepared) {
  auto lacks = [&](const char* name) {
    for (const auto& without : options.without) {
      if (without == name) return true;
    }
    return false;
  };
  if (lacks("landlock")) {
    prepared.landlock_error = ENOSYS;
  } else {
    prepared.ruleset = make_ruleset(prepared.world.readable, prepared.world.null, prepared.landlock_abi);
    prepared.landlock_error = errno;
  }
  if (lacks("seccomp")) {
    prepared.filter_problem = "taken away by --without";
  } else {
    const Profile profile = {prepared.world.cell_namespaces != 0, options.brokered, options.allow_calls,
                             options.deny_calls};
    prepared.filter = compile_filter(profile, told, prepared.filter_problem);
    if (options.brokered) prepared.notify_filter = compile_notify_filter(told, prepared.filter_problem);
    if (!told.empty()) prepared.lone_filter = compile_filter(without_told(profile, told), {}, prepared.filter_problem);
  }
  prepared.brokered = options.brokered;
  prepared.memory = measure_memory(prepared.world.proc);
#ifndef PYISOLATE_UNCONFINED
  fixed_rlimits(prepared.report, options.brokered);  // last: it forbids the file that the filter was made in
#endif
}

// What the supervisor needs to know of its cells.
std::string ready_report(const World& world, const std::vector<ToldCall>& told) {
  probe::Json names;
  for (const ToldCall& call : told) names.text(std::to_string(call.number).c_str(), call.name);
  return probe::Json().text("stdlib", world.stdlib).raw("toldCalls", names.done()).done();
}

// Some hosts grant a user namespace but nothing inside it (AppArmor on Ubuntu 24.04): try once.
void try_namespaces(Confinement& prepared) {
  if (prepared.world.cell_namespaces == 0) return;
  if (can_clone(prepared.world.cell_namespaces)) {
    prepared.report.active("pid-namespace", false, "pid 1 of its own: no other process exists");
    return;
  }
  prepared.report.missing("pid-namespace", false, "clone3", errno);
  prepared.world.cell_namespaces = 0;
}

// The first key pair, and what libcrypto makes when it is first used: cells share it.
bool prepare_keys(Confinement& prepared, std::string& problem) {
  try {
    seal::warm_up();
    prepared.keys = seal::KeyPair::generate();
    return true;
  } catch (const std::exception& failure) {
    problem = std::string("channels can't be sealed: ") + failure.what();
    return false;
  }
}

void fork_one(Confinement& prepared, const ControlPacket& packet) {
  const bool shared = packet.header.value == static_cast<int>(CellMode::interpreter);
  if (packet.descriptors.size() != (shared ? 3u : 2u)) {
    send(kControlFd, ControlKind::fork_failed, packet.header.id, EINVAL, "a fork request without its descriptors");
    return;
  }
  int pidfd = -1;
  PyOS_BeforeFork();
  const int pid = fork_cell(prepared.world.cell_namespaces, pidfd);
  if (pid == 0) {
    PyOS_AfterFork_Child();
    const auto& fds = packet.descriptors;
    if (shared) run_interpreter_cell(prepared, fds[0], fds[1], fds[2], kControlFd);
    run_process_cell(prepared, fds[0], fds[1], kControlFd);
  }
  const int error = errno;
  PyOS_AfterFork_Parent();
  if (pid < 0) {
    send(kControlFd, ControlKind::fork_failed, packet.header.id, error, "clone3");
    return;
  }
  prepared.keys.reset();  // the cell's now
  send(kControlFd, ControlKind::forked, packet.header.id, pid, "", pidfd);
  close(pidfd);
}

// How long nothing has been asked for when the next key pair is made: a cell that is needed doesn't wait for it, and
// makes its own where there was no time.
constexpr int kQuietMs = 1;

void make_keys_when_quiet(Confinement& prepared) {
  pollfd control = {kControlFd, POLLIN, 0};
  if (!prepared.keys && poll(&control, 1, kQuietMs) == 0) prepared.keys = seal::KeyPair::generate();
}

}  // namespace

int run_zygote(int argc, char** argv) {
  ZygoteOptions options;
  Confinement prepared;
  std::string problem;
  prctl(PR_SET_NAME, "pyisolate-zygote");
  if (!parse_options(argc, argv, options, problem)) return give_up(problem, EINVAL);
  if (orphaned(options)) return 0;
  errno = 0;
  if (!enter_world(options, prepared.world, prepared.report, problem)) return give_up(problem, errno);
  if (orphaned(options)) return 0;  // again: changing credentials has cleared the death signal
  if (access(prepared.world.stdlib.c_str(), R_OK | X_OK) != 0) {
    return give_up("the standard library at " + prepared.world.stdlib + " can't be read by uid " +
                       std::to_string(geteuid()) +
                       ", which guests run as here: keep PYISOLATE_CACHE where others can read",
                   errno);
  }
  if (!start_python(options, prepared.world, problem)) return give_up(problem, 0);
  for (const std::string& module : options.preload) {
    if (!preload(module, problem)) return give_up(problem, 0);
  }
  if (!freeze(problem)) return give_up(problem, 0);
  prepared.preload = options.preload;
  learn_thread_id_place();
  try_namespaces(prepared);
  const auto told = options.brokered ? told_calls(options.deny_calls) : std::vector<ToldCall>();
  prepare_confinement(options, told, prepared);
  if (!prepare_keys(prepared, problem)) return give_up(problem, 0);
  current_account();  // has this thread's end noted: what libc binds for that when it is first done, cells then have
  use_huge_code();
  use_huge_pages(prepared.world.proc);
  malloc_trim(0);  // or the first malloc of every cell would walk, and so copy, the freed chunks of all this
  if (!send(kControlFd, ControlKind::ready, 0, seal::has_kem() ? kHasKem : 0, ready_report(prepared.world, told)))
    return 1;
  for (;;) {
    make_keys_when_quiet(prepared);
    ControlPacket packet;
    switch (receive(kControlFd, packet)) {
      case Receive::closed: return 0;
      case Receive::interrupted: continue;
      case Receive::packet: break;
    }
    if (packet.header.kind == static_cast<std::uint32_t>(ControlKind::fork)) fork_one(prepared, packet);
    for (const int fd : packet.descriptors) close(fd);
  }
}

}  // namespace pyisolate
