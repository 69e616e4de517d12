#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <thread>

#include "calls.h"

namespace {

using Words = std::vector<std::string>;

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

/// `1.2.3.4`, `::1`, `/a/path` or `@abstract`.
Address address_of(const std::string& host, const std::string& port) {
  Address address;
  if (host[0] == '/' || host[0] == '@') {
    auto* un = reinterpret_cast<sockaddr_un*>(&address.storage);
    un->sun_family = AF_UNIX;
    size_t length = host.copy(un->sun_path, sizeof(un->sun_path));
    if (host[0] == '@') un->sun_path[0] = '\0';
    address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length + (host[0] == '/' ? 1 : 0));
  } else if (host.find(':') != std::string::npos) {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(static_cast<uint16_t>(std::atoi(port.c_str())));
    inet_pton(AF_INET6, host.c_str(), &in6->sin6_addr);
    address.length = sizeof(*in6);
  } else {
    auto* in = reinterpret_cast<sockaddr_in*>(&address.storage);
    in->sin_family = AF_INET;
    in->sin_port = htons(static_cast<uint16_t>(std::atoi(port.c_str())));
    inet_pton(AF_INET, host.c_str(), &in->sin_addr);
    address.length = sizeof(*in);
  }
  return address;
}

struct Kind {
  int type;
  int protocol;
};
const std::map<std::string, Kind> kKinds{{"tcp", {SOCK_STREAM, 0}},         {"udp", {SOCK_DGRAM, 0}},
                                         {"stream", {SOCK_STREAM, 0}},      {"dgram", {SOCK_DGRAM, 0}},
                                         {"raw", {SOCK_RAW, IPPROTO_ICMP}}, {"mptcp", {SOCK_STREAM, 262}}};

/// call kind host port: on a new socket of the host's family.
long on_address(const Words& w, const std::function<int(int, Address&)>& call) {
  Address address = address_of(w.at(2), w.size() > 3 ? w[3] : "0");
  Kind kind = kKinds.at(w.at(1));
  int fd = socket(address.storage.ss_family, kind.type | SOCK_CLOEXEC, kind.protocol);
  if (fd < 0) return 1000 + errno;
  long result = call(fd, address) < 0 ? errno : 0;
  close(fd);
  return result;
}

int send_by(int fd, Address& address, bool as_message) {
  char byte = 'x';
  if (!as_message) return static_cast<int>(sendto(fd, &byte, 1, MSG_NOSIGNAL, address.get(), address.length));
  iovec part{&byte, 1};
  msghdr message{};
  message.msg_name = address.get();
  message.msg_namelen = address.length;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  return static_cast<int>(sendmsg(fd, &message, MSG_NOSIGNAL));
}

/// TCP Fast Open: a connection by sendto(2), tcp(7).
int fast_open(int fd, Address& address) {
  char byte = 'x';
  return static_cast<int>(sendto(fd, &byte, 1, MSG_FASTOPEN | MSG_NOSIGNAL, address.get(), address.length));
}

int bind_and_listen(int fd, Address& address) {
  if (bind(fd, address.get(), address.length) != 0) return -1;
  return listen(fd, 1);
}

/// A service for others to reach, left open.
long serve(const Words& w) {
  Address address = address_of(w.at(2), w.size() > 3 ? w[3] : "0");
  Kind kind = kKinds.at(w.at(1));
  int fd = socket(address.storage.ss_family, kind.type | SOCK_CLOEXEC, kind.protocol);
  if (fd < 0) return 1000 + errno;
  if (bind(fd, address.get(), address.length) != 0) return errno;
  if (kind.type == SOCK_STREAM && listen(fd, 64) != 0) return errno;
  return 0;
}

long make_socket(const Words& w) {
  int fd = socket(std::atoi(w.at(1).c_str()), std::atoi(w.at(2).c_str()), std::atoi(w.at(3).c_str()));
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

long listen_unbound() {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 1000 + errno;
  long result = listen(fd, 1) < 0 ? errno : 0;
  close(fd);
  return result;
}

/// A second thread swaps the address in memory while the first one connects: how often it got to the second port.
long race_connect(const Words& w) {
  Address address = address_of("127.0.0.1", w.at(1));
  auto* in = reinterpret_cast<sockaddr_in*>(&address.storage);
  const uint16_t ports[]{in->sin_port, htons(static_cast<uint16_t>(std::atoi(w.at(2).c_str())))};
  std::atomic<bool> over{false};
  std::thread other([&] {
    auto* port = reinterpret_cast<volatile uint16_t*>(&in->sin_port);
    for (unsigned i = 0; !over.load(std::memory_order_relaxed); i++) *port = ports[i & 1];
  });
  long reached = 0;
  for (int i = 0; i < std::atoi(w.at(3).c_str()); i++) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in peer{};
    socklen_t length = sizeof(peer);
    if (connect(fd, address.get(), address.length) == 0 &&
        getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) == 0)
      reached += peer.sin_port == ports[1];
    close(fd);
  }
  over = true;
  other.join();
  return reached;
}

/// Connects until told to stop: how often it went through, or -1 for an errno that isn't EACCES.
long hammer_connect(const Words& w) {
  Address address = address_of(w.at(1), w.at(2));
  long passed = 0;
  while (hammering.load(std::memory_order_relaxed)) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    const bool through = connect(fd, address.get(), address.length) == 0;
    if (!through && errno != EACCES) return -1;
    passed += through;
    close(fd);
  }
  return passed;
}

/// The other way round: how often a permitted connect failed.
long insist_connect(const Words& w) {
  Address address = address_of(w.at(1), w.at(2));
  long failed = 0;
  while (hammering.load(std::memory_order_relaxed)) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    failed += connect(fd, address.get(), address.length) != 0;
    close(fd);
  }
  return failed;
}

/// Takes a connection and reads so many bytes of it. What was received is counted as it arrives.
long receive(const Words& w) {
  Address address = address_of("127.0.0.1", w.at(1));
  const size_t wanted = static_cast<size_t>(std::atol(w.at(2).c_str()));
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  long result = connect(fd, address.get(), address.length) == 0 ? 0 : errno;
  std::string bytes(1 << 16, '\0');
  for (size_t got = 0; result == 0 && got < wanted;) {
    ssize_t more = read(fd, bytes.data(), std::min(bytes.size(), wanted - got));
    if (more <= 0) result = more < 0 ? errno : 1000;
    if (more > 0) got += static_cast<size_t>(more);
  }
  close(fd);
  return result;
}

/// The other end of it: takes one connection at a port, in a child, and sends so many bytes.
long serve_bytes(const Words& w) {
  Address address = address_of("127.0.0.1", w.at(1));
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(fd, address.get(), address.length) != 0 || listen(fd, 1) != 0) return errno;
  pid_t child = fork();
  if (child < 0) return errno;
  if (child == 0) {
    int peer = accept(fd, nullptr, nullptr);
    std::string bytes(static_cast<size_t>(std::atol(w.at(2).c_str())), 'x');
    for (size_t at = 0; peer >= 0 && at < bytes.size();) {
      ssize_t sent = write(peer, bytes.data() + at, bytes.size() - at);
      if (sent <= 0) _exit(1);
      at += static_cast<size_t>(sent);
    }
    _exit(0);
  }
  close(fd);
  return 0;
}

/// Datagrams of so many bytes to a socket of its own, as fast as it can.
long flood(const Words& w) {
  Address address = address_of(w.at(1), w.at(2));
  int receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  std::string bytes(static_cast<size_t>(std::atoi(w.at(3).c_str())), 'x');
  long result = bind(receiver, address.get(), address.length) == 0 ? 0 : errno;
  for (int i = 0; result == 0 && i < std::atoi(w.at(4).c_str()); i++)
    if (sendto(sender, bytes.data(), bytes.size(), 0, address.get(), address.length) < 0 && errno != ENOBUFS)
      result = errno;
  close(receiver);
  close(sender);
  return result;
}

}  // namespace

long perform_socket(const Words& w) {
  if (w[0] == "listen-unbound") return listen_unbound();
  if (w[0] == "race-connect") return race_connect(w);
  if (w[0] == "flood") return flood(w);
  if (w[0] == "hammer-connect") return hammer_connect(w);
  if (w[0] == "insist-connect") return insist_connect(w);
  if (w[0] == "receive") return receive(w);
  if (w[0] == "serve-bytes") return serve_bytes(w);
  if (w[0] == "serve") return serve(w);
  if (w[0] == "socket") return make_socket(w);
  if (w[0] == "connect")
    return on_address(w, [](int fd, Address& address) { return connect(fd, address.get(), address.length); });
  if (w[0] == "bind")
    return on_address(w, [](int fd, Address& address) { return bind(fd, address.get(), address.length); });
  if (w[0] == "listen") return on_address(w, bind_and_listen);
  if (w[0] == "sendto") return on_address(w, [](int fd, Address& address) { return send_by(fd, address, false); });
  if (w[0] == "sendmsg") return on_address(w, [](int fd, Address& address) { return send_by(fd, address, true); });
  if (w[0] == "fastopen") return on_address(w, fast_open);
  return -1;
}
