#include "answer.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND (1UL << 1)
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
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

// Whether a call that was received ends by our answer or with its process, and by no other signal (Linux 5.19): the
// engine asks for that wherever there is such a thing, and finds out in the same way.
bool waits_killable() {
  static const bool waits = [] {
    const unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    // No filter: a kernel that knows the flags gets as far as its address.
    ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, nullptr);
    return errno == EFAULT;
  }();
  return waits;
}

}  // namespace

void answer(Client& client, std::uint64_t notification, Answer result) {
  const int listener = client.listener();
  const auto fail = [&](int error) {
    if (error == EMFILE) client.reached(Client::Limit::open_files, error);  // it has as many as it may
    send(listener, notification, error, 0);
  };
  if (!result.fd || result.error != 0) return send(listener, notification, result.error, result.value);
  seccomp_notif_addfd add{};
  add.id = notification;
  add.srcfd = static_cast<std::uint32_t>(result.fd.get());
  add.newfd_flags = result.close_on_exec ? O_CLOEXEC : 0;
  if (result.alone && waits_killable()) {
    // In two steps, which wake the guest's thread twice: no signal comes between them.
    const int number = ::ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
    const int error = errno;
    result.fd.reset();
    return number >= 0 ? send(listener, notification, 0, number) : fail(error);
  }
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
  fail(error);
}

}  // namespace pyisolate::broker
