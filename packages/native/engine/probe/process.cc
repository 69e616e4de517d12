#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstring>
#include <string>

#include "trials.h"

namespace pyisolate::probe {
namespace {

bool put(const char* path, const std::string& text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  const bool written = fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (fd >= 0) close(fd);
  errno = error;
  return written;
}

Trial enter_user_namespace() {
  const uid_t uid = geteuid();
  if (unshare(CLONE_NEWUSER) != 0) return Trial::failed("unshare");
  if (!put("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1\n")) return Trial::failed("uid_map");
  return Trial::ok();
}

}  // namespace

Trial io_uring() {
  return in_child([]() -> Trial {
    io_uring_params parameters;
    std::memset(&parameters, 0, sizeof parameters);
    return syscall(SYS_io_uring_setup, 1, &parameters) < 0 ? Trial::failed("io_uring_setup") : Trial::ok();
  });
}

Trial user_namespace() {
  return in_child([]() -> Trial {
    const Trial entered = enter_user_namespace();
    if (!entered.good()) return entered;
    return unshare(CLONE_NEWUTS) != 0 ? Trial::failed("use of its capabilities") : Trial::ok();
  });
}

Trial namespace_of(int flag) {
  return in_child([flag]() -> Trial {
    if (unshare(flag) == 0) return Trial::ok();
    const Trial entered = enter_user_namespace();
    if (!entered.good()) return {"user namespace, " + entered.step, entered.error};
    return unshare(flag) != 0 ? Trial::failed("unshare") : Trial::ok();
  });
}

Trial pidfd() {
  return in_child([]() -> Trial {
    int fd = -1;
    clone_args arguments;
    std::memset(&arguments, 0, sizeof arguments);
    arguments.flags = CLONE_PIDFD;
    arguments.pidfd = reinterpret_cast<__u64>(&fd);
    arguments.exit_signal = SIGCHLD;
    const long child = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0) _exit(0);
    if (child < 0) return Trial::failed("clone3");
    siginfo_t info{};
    if (waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(fd), &info, WEXITED) != 0) {
      return Trial::failed("waitid");
    }
    return Trial::ok();
  });
}

Trial sealed_memory() {
  return in_child([]() -> Trial {
    const int fd = memfd_create("pyisolate-probe", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return Trial::failed("memfd_create");
    if (ftruncate(fd, 4096) != 0) return Trial::failed("ftruncate");
    return fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0 ? Trial::failed("seal") : Trial::ok();
  });
}

}  // namespace pyisolate::probe
