// Datagrams: each whole, or not at all; what nobody takes is the kernel's to drop.
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "../system_failure.h"
#include "driver.h"

namespace pyisolate::io {
namespace {

// What a datagram takes here beside its bytes: so many empty ones must not be free.
constexpr std::size_t kEach = 64;

// An IPv4 address as a socket of IPv6 takes it (RFC 4291, 2.5.5.2).
socklen_t map_to_ipv6(const sockaddr_in& from, sockaddr_storage& to) {
  sockaddr_in6 mapped{};
  mapped.sin6_family = AF_INET6;
  mapped.sin6_port = from.sin_port;
  mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 0xff;
  std::memcpy(mapped.sin6_addr.s6_addr + 12, &from.sin_addr, sizeof from.sin_addr);
  std::memcpy(&to, &mapped, sizeof mapped);
  return sizeof mapped;
}

}  // namespace

void Driver::datagrams(std::uint64_t handle, std::uint64_t id, const sockaddr_storage& at, socklen_t bytes) {
  const int family = bytes == 0 ? AF_INET6 : at.ss_family;
  auto fd = std::make_shared<UniqueFd>(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!*fd) return report_done(id, -errno);
  const int alone = bytes != 0;
  if (family == AF_INET6) ::setsockopt(fd->get(), IPPROTO_IPV6, IPV6_V6ONLY, &alone, sizeof alone);
  if (bytes != 0 && ::bind(fd->get(), reinterpret_cast<const sockaddr*>(&at), bytes) != 0)
    return report_done(id, -errno);
  try {
    report_bound(add(handle, Handle::Type::datagrams, std::move(fd)), id, {});
  } catch (const SystemFailure& failure) {
    report_done(id, -failure.error());
  }
}

void Driver::send_to(std::uint64_t handle, std::uint64_t id, std::vector<std::uint8_t> bytes,
                     const sockaddr_storage& peer, socklen_t peer_bytes, Clock::time_point deadline,
                     std::function<int()> judge) {
  Handle* from = need(handle, id, Handle::Type::datagrams);
  if (from == nullptr) return;
  Transfer& made = transfer(*from, id, Kind::send_to, deadline);
  made.buffer = std::make_shared<std::vector<std::uint8_t>>(std::move(bytes));
  made.peer = peer;
  made.peer_bytes = peer_bytes;
  if (from->family == AF_INET6 && peer.ss_family == AF_INET)
    made.peer_bytes = map_to_ipv6(reinterpret_cast<const sockaddr_in&>(peer), made.peer);
  made.judge = std::move(judge);
  from->to_send.push_back(&made);
  if (from->to_send.size() == 1) start_sending(*from);
}

void Driver::received_from(Operation& operation, std::span<const std::uint8_t> bytes, const sockaddr_storage& peer,
                           socklen_t peer_bytes) {
  Handle& socket = *operation.owner;
  if (socket.closing) return;
  socket.unread += bytes.size() + kEach;
  ++counters_->operations;
  counters_->bytes_in += bytes.size();
  auto [text, port] = name_of(peer, peer_bytes);
  outbox_->put({.kind = Report::Kind::datagram,
                .handle = socket.id,
                .result = port,
                .bytes = std::make_shared<std::vector<std::uint8_t>>(bytes.begin(), bytes.end()),
                .text = std::move(text)});
  if (socket.unread >= socket.window) backend_->cancel(operation);
}

}  // namespace pyisolate::io
