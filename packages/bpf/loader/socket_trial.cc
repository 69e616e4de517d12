#include "socket_trial.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

#include "failure.h"

namespace pyisolate::bpf {
namespace {

/// Long for one byte on the loopback of a machine that is busy.
constexpr timeval kPatience{2, 0};

void attempt(int fd, int map, std::span<const uint8_t> value) {
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* address = reinterpret_cast<sockaddr*>(&own);
  socklen_t length = sizeof(own);
  if (bpf_map_update_elem(map, &fd, value.data(), BPF_ANY) != 0) fail("mark a socket", errno);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience)) != 0) fail("setsockopt", errno);
  if (bind(fd, address, length) != 0) fail("bind 127.0.0.1", errno);
  if (getsockname(fd, address, &length) != 0) fail("getsockname", errno);
  char byte = 0;
  if (sendto(fd, &byte, 1, 0, address, length) != 1) fail("send to 127.0.0.1", errno);
  if (recv(fd, &byte, 1, 0) != 1) fail("receive from 127.0.0.1", errno);
}

}  // namespace

void send_to_itself(int map, std::span<const uint8_t> value) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket", errno);
  try {
    attempt(fd, map, value);
  } catch (...) {
    close(fd);
    throw;
  }
  close(fd);
}

}  // namespace pyisolate::bpf
