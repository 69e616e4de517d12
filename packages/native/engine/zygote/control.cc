#include "zygote/control.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace pyisolate {
namespace {
constexpr int kMostDescriptors = 3;
}

Receive receive(int socket, ControlPacket& packet) {
  alignas(cmsghdr) char ancillary[CMSG_SPACE(sizeof(int) * kMostDescriptors)];
  iovec part = {&packet.header, sizeof packet.header};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = ancillary;
  message.msg_controllen = sizeof ancillary;
  const ssize_t size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (size < 0) return errno == EINTR ? Receive::interrupted : Receive::closed;
  packet.descriptors.clear();
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      packet.descriptors.push_back(fd);
    }
  }
  return size == sizeof packet.header ? Receive::packet : Receive::closed;
}

bool send(int socket, ControlKind kind, std::uint32_t id, int value, const std::string& text, int descriptor) {
  const std::size_t length = std::min<std::size_t>(text.size(), kControlTextBytes);
  ControlHeader header = {static_cast<std::uint32_t>(kind), id, value, static_cast<std::uint32_t>(length)};
  iovec parts[2] = {{&header, sizeof header}, {const_cast<char*>(text.data()), length}};
  alignas(cmsghdr) char ancillary[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  if (descriptor >= 0) {
    message.msg_control = ancillary;
    message.msg_controllen = sizeof ancillary;
    cmsghdr* c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(c), &descriptor, sizeof descriptor);
  }
  ssize_t sent;
  do {
    sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

}  // namespace pyisolate
