#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>

#include "table.h"

namespace pyisolate::broker {

// Of an AF_INET or AF_INET6 socket address; nothing for another family or one that is too short for its own.
std::optional<Address> read_address(const sockaddr_storage& from, socklen_t bytes);
// Text as in rules: 192.0.2.1, 2001:db8::1.
std::optional<Address> parse_address(const std::string& text);
// Where that leads: what nothing is sent to is oneself (RFC 1122, 3.2.1.3; Linux connects such a socket to the loopback
// address).
Address destination(Address peer);
std::string describe(const Address& address);

}  // namespace pyisolate::broker
