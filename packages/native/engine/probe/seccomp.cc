#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <thread>

#include "trials.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

namespace pyisolate::probe {
namespace {

// A filter of the calling thread for one harmless call. Returns what seccomp() does.
long filter_getppid(unsigned action, unsigned flags) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, action),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{sizeof code / sizeof code[0], code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

// Answers the one call of the filtered thread with a descriptor.
Trial answer(int listener) {
  pollfd ready{listener, POLLIN, 0};
  if (poll(&ready, 1, 2000) != 1) return Trial::failed("poll of the listener", ETIMEDOUT);
  seccomp_notif call{};
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) return Trial::failed("SECCOMP_IOCTL_NOTIF_RECV");
  seccomp_notif_addfd descriptor{};
  descriptor.id = call.id;
  descriptor.flags = SECCOMP_ADDFD_FLAG_SEND;
  descriptor.srcfd = STDERR_FILENO;
  descriptor.newfd_flags = O_CLOEXEC;
  const int given = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &descriptor);
  if (given >= 0) return Trial::ok();
  const int error = errno;
  seccomp_notif_resp reply{call.id, 0, -EPERM, 0};
  ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
  return Trial::failed("SECCOMP_IOCTL_NOTIF_ADDFD", error);
}

}  // namespace

Trial seccomp_filter() {
  return in_child([]() -> Trial {
    if (filter_getppid(SECCOMP_RET_ERRNO | EXDEV, 0) != 0) return Trial::failed("seccomp");
    if (syscall(SYS_getppid) >= 0 || errno != EXDEV) return Trial::failed("it denies nothing", ENOTSUP);
    return Trial::ok();
  });
}

Trial seccomp_notification() {
  return in_child([]() -> Trial {
    std::atomic<int> listener{-1};
    std::atomic<int> error{0};
    std::atomic<long> result{-1};
    std::thread filtered([&] {
      const long fd = filter_getppid(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
      if (fd < 0) error = errno;
      listener = static_cast<int>(fd < 0 ? -2 : fd);
      listener.notify_one();
      if (fd >= 0) result = syscall(SYS_getppid);
    });
    listener.wait(-1);
    const Trial trial = listener < 0 ? Trial::failed("seccomp with NEW_LISTENER", error) : answer(listener);
    if (trial.step == "poll of the listener") _exit(1);  // that thread would never end
    filtered.join();
    if (!trial.good()) return trial;
    return fcntl(static_cast<int>(result), F_GETFD) >= 0 ? trial : Trial::failed("it hands over nothing", ENOTSUP);
  });
}

Trial seccomp_killable_wait() {
  return in_child([]() -> Trial {
    const unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    return filter_getppid(SECCOMP_RET_USER_NOTIF, flags) < 0 ? Trial::failed("seccomp with WAIT_KILLABLE_RECV")
                                                             : Trial::ok();
  });
}

}  // namespace pyisolate::probe
