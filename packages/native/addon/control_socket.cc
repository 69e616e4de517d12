#include "control_socket.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>

#include "system_failure.h"

namespace pyisolate {
namespace {
constexpr std::size_t kMaxDescriptors = 4;
}

std::array<UniqueFd, 2> control_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) throw SystemFailure("socketpair");
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

int send_control(int socket, const ControlHeader& header, std::span<const int> descriptors) {
  iovec part{const_cast<ControlHeader*>(&header), sizeof header};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxDescriptors)] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
  ssize_t sent;
  do sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

Received receive_control(int socket, ControlMessage& out) {
  static thread_local std::array<char, kControlTextBytes> text;
  iovec parts[2] = {{&out.header, sizeof out.header}, {text.data(), text.size()}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxDescriptors)];
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got;
  do got = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got < 0) return errno == EAGAIN ? Received::none : Received::closed;

  out.descriptor.reset();
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      out.descriptor.reset(fd);  // one at most is expected; the last stays
    }
  }
  if (static_cast<std::size_t>(got) < sizeof out.header) return Received::closed;
  out.descriptor_lost = (message.msg_flags & MSG_CTRUNC) != 0;
  out.text.assign(text.data(), static_cast<std::size_t>(got) - sizeof out.header);
  return Received::message;
}

}  // namespace pyisolate
