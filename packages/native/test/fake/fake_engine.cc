// Speaks the zygote's part of the control protocol, without Python. A `--preload fake:…` names how it is to
// misbehave.
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "../../shared/control.h"
#include "fake_cell.h"
#include "seal/kem.h"

using namespace pyisolate;

namespace {

std::string misbehave;

void answer(ControlKind kind, std::uint32_t id, int value, const std::string& text, int descriptor) {
  ControlHeader header{static_cast<std::uint32_t>(kind), id, value, static_cast<std::uint32_t>(text.size())};
  iovec parts[2] = {{&header, sizeof header}, {const_cast<char*>(text.data()), text.size()}};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  if (descriptor >= 0) {
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
  }
  if (::sendmsg(kControlFd, &message, MSG_NOSIGNAL) < 0) ::_exit(1);
}

void fork_cell(const ControlHeader& request, const int* fds, std::size_t count, pid_t supervisor) {
  if (misbehave == "fork-fails") return answer(ControlKind::fork_failed, request.id, EAGAIN, "clone3", -1);
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = CLONE_PARENT | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid < 0) return answer(ControlKind::fork_failed, request.id, errno, "clone3", -1);
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != supervisor) ::_exit(0);
    ::close(kControlFd);
    fake::run_cell(fds[0], fds[1], count > 2 ? fds[2] : -1, misbehave);
  }
  if (misbehave == "dies-forking") ::raise(SIGKILL);
  answer(ControlKind::forked, request.id, static_cast<int>(pid), {}, pidfd);
  ::close(pidfd);
}

}  // namespace

int main(int argc, char** argv) {
  pid_t supervisor = 0;
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "--supervisor") == 0) supervisor = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--preload") == 0 && std::strncmp(argv[i + 1], "fake:", 5) == 0)
      misbehave = argv[i + 1] + 5;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != supervisor) return 1;
  if (misbehave == "crashes") {
    std::fputs("the fake is out of order\n", stderr);
    return 7;
  }
  if (misbehave == "fails") {
    answer(ControlKind::failed, 0, ENOENT, "no module named fake", -1);
    return 1;
  }
  if (misbehave == "slow") ::usleep(300'000);
  answer(ControlKind::ready, 0, seal::has_kem() ? kHasKem : 0, R"({"python":"3.13.5","stdlib":"/usr/lib"})", -1);
  if (misbehave == "late") ::usleep(300'000);
  for (;;) {
    ControlHeader request;
    iovec part{&request, sizeof request};
    alignas(cmsghdr) char space[CMSG_SPACE(3 * sizeof(int))];
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    if (::recvmsg(kControlFd, &message, MSG_CMSG_CLOEXEC) < static_cast<ssize_t>(sizeof request)) return 0;
    if (misbehave == "mute") continue;
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    const std::size_t count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    int fds[3];
    std::memcpy(fds, CMSG_DATA(rights), count * sizeof(int));
    fork_cell(request, fds, count, supervisor);
    for (std::size_t i = 0; i < count; ++i) ::close(fds[i]);
  }
}
