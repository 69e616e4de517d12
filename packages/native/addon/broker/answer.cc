#include "answer.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>

#include <cerrno>

#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND (1UL << 1)
#endif

namespace pyisolate::broker {
namespace {

void send(int listener, std::uint64_t notification, int error, std::int64_t value) {
  seccomp_notif_resp response{};
  response.id = notification;
  response.error = -error;
  response.val = error == 0 ? value : 0;
  ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

}  // namespace

void answer(int listener, std::uint64_t notification, const Answer& result) {
  if (!result.fd || result.error != 0) return send(listener, notification, result.error, result.value);
  seccomp_notif_addfd add{};
  add.id = notification;
  add.srcfd = static_cast<std::uint32_t>(result.fd.get());
  add.newfd_flags = result.close_on_exec ? O_CLOEXEC : 0;
  add.flags =
      SECCOMP_ADDFD_FLAG_SEND;  // both at once (Linux 5.14): an interrupted guest keeps no descriptor it doesn't know
  if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) >= 0 || errno == ENOENT) return;
  int error = errno;
  if (error == EINVAL) {
    add.flags = 0;
    const int number = ::ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
    if (number >= 0) return send(listener, notification, 0, number);
    error = errno;
  }
  send(listener, notification, error, 0);  // EMFILE: it has as many as it may
}

}  // namespace pyisolate::broker
