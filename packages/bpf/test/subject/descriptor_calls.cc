#include <fcntl.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "calls.h"

namespace {

using Words = std::vector<std::string>;

/// A stream socket at an abstract name, or a path; `call`: bind, or connect.
int unix_socket(const std::string& name, int (*call)(int, const sockaddr*, socklen_t)) {
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  const size_t length = name.copy(un.sun_path, sizeof(un.sun_path) - 1);
  if (name[0] == '@') un.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length + (name[0] == '/' ? 1 : 0));
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && call(fd, reinterpret_cast<sockaddr*>(&un), size) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

/// One of an Internet protocol at, or connected to, the loopback's port; with port 0 neither.
int internet_socket(const std::string& kind, bool connected, const std::string& port) {
  const int type = kind == "tcp" ? SOCK_STREAM : kind == "udp" ? SOCK_DGRAM : SOCK_RAW;
  const int fd = socket(AF_INET, type | SOCK_CLOEXEC, type == SOCK_RAW ? IPPROTO_ICMP : 0);
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(static_cast<uint16_t>(std::atoi(port.c_str())));
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || in.sin_port == 0) return fd;
  const auto* address = reinterpret_cast<const sockaddr*>(&in);
  return (connected ? connect(fd, address, sizeof(in)) : bind(fd, address, sizeof(in))) == 0 ? fd : -1;
}

/// file <path> r|w|path, tcp|udp|raw to|at <port>, unix to|at <name>, pair, pipe, eventfd, memfd.
int make_descriptor(const Words& w) {
  int ends[2];
  const std::string& what = w.at(2);
  if (what == "file")
    return open(w.at(3).c_str(), (w.at(4) == "path" ? O_PATH : w[4] == "w" ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
  if (what == "unix") return unix_socket(w.at(4), w.at(3) == "to" ? connect : bind);
  if (what == "pair") return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 ? ends[0] : -1;
  if (what == "pipe") return pipe2(ends, O_CLOEXEC) == 0 ? ends[1] : -1;
  if (what == "eventfd") return eventfd(0, EFD_CLOEXEC);
  if (what == "memfd") return memfd_create("given", MFD_CLOEXEC);
  return internet_socket(what, w.at(3) == "to", w.at(4));
}

union Control {
  char bytes[CMSG_SPACE(sizeof(int))];
  cmsghdr aligned;
};

msghdr message_of(Control& control, iovec& part) {
  static char byte = 'x';
  part = {&byte, 1};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof(control.bytes);
  return message;
}

/// give <name> <what>...: has a child hand a descriptor to the first who connects to the name.
long give(const Words& w) {
  const int listener = unix_socket(w.at(1), bind);
  if (listener < 0 || listen(listener, 1) != 0) return errno;
  const int given = make_descriptor(w);
  if (given < 0) return 1000 + errno;
  const pid_t child = fork();
  if (child < 0) return errno;
  if (child == 0) {
    const int peer = accept(listener, nullptr, nullptr);
    Control control{};
    iovec part{};
    msghdr message = message_of(control, part);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &given, sizeof(given));
    _exit(sendmsg(peer, &message, 0) == 1 ? 0 : 1);
  }
  close(listener);
  close(given);
  return 0;
}

/// take <name>: what came. The kernel cuts a descriptor that it is denied off the message: EACCES here.
long take(const Words& w) {
  const int peer = unix_socket(w.at(1), connect);
  if (peer < 0) return 1000 + errno;
  Control control{};
  iovec part{};
  msghdr message = message_of(control, part);
  const ssize_t got = recvmsg(peer, &message, MSG_CMSG_CLOEXEC);
  const long error = errno;
  close(peer);
  if (got != 1) return 2000 + error;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr) return message.msg_flags & MSG_CTRUNC ? EACCES : 3000;
  int fd = -1;
  memcpy(&fd, CMSG_DATA(header), sizeof(fd));
  return close(fd) == 0 ? 0 : errno;
}

}  // namespace

long perform_descriptor(const Words& w) {
  if (w[0] == "give") return give(w);
  if (w[0] == "take") return take(w);
  return -1;
}
