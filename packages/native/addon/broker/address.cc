#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace pyisolate::broker {
namespace {

Address of_ipv6(const in6_addr& from, std::uint16_t port) {
  Address address{6, port, {}};
  if (IN6_IS_ADDR_V4MAPPED(&from)) {
    address.family = 4;
    std::memcpy(address.bytes.data(), from.s6_addr + 12, 4);
  } else {
    std::memcpy(address.bytes.data(), from.s6_addr, 16);
  }
  return address;
}

}  // namespace

std::optional<Address> read_address(const sockaddr_storage& from, socklen_t bytes) {
  if (bytes >= sizeof(sockaddr_in) && from.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(from);
    Address address{4, ntohs(in.sin_port), {}};
    std::memcpy(address.bytes.data(), &in.sin_addr, 4);
    return address;
  }
  // RFC 2133 knew no scope: the kernel takes such an address, too.
  if (bytes >= offsetof(sockaddr_in6, sin6_scope_id) && from.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(from);
    return of_ipv6(in.sin6_addr, ntohs(in.sin6_port));
  }
  return std::nullopt;
}

std::optional<Address> parse_address(const std::string& text) {
  in_addr four;
  if (::inet_pton(AF_INET, text.c_str(), &four) == 1) {
    Address address{4, 0, {}};
    std::memcpy(address.bytes.data(), &four, 4);
    return address;
  }
  in6_addr six;
  if (::inet_pton(AF_INET6, text.c_str(), &six) == 1) return of_ipv6(six, 0);
  return std::nullopt;
}

Address destination(Address peer) {
  if (std::any_of(peer.bytes.begin(), peer.bytes.end(), [](std::uint8_t byte) { return byte != 0; })) return peer;
  if (peer.family == 4) peer.bytes[0] = 127, peer.bytes[3] = 1;
  if (peer.family == 6) peer.bytes[15] = 1;
  return peer;
}

std::string describe(const Address& address) {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(address.family == 4 ? AF_INET : AF_INET6, address.bytes.data(), text, sizeof text);
  const std::string host = address.family == 4 ? std::string(text) : '[' + std::string(text) + ']';
  return host + ':' + std::to_string(address.port);
}

}  // namespace pyisolate::broker
