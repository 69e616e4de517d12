// One SOCK_SEQPACKET socket: packets with a header, text and descriptors (control.h of shared/).
#pragma once

#include <string>
#include <vector>

#include "../../shared/control.h"

namespace pyisolate {

struct ControlPacket {
  ControlHeader header{};
  std::vector<int> descriptors;  // the receiver's to close
};

enum class Receive { packet, interrupted, closed };

// Blocks. `closed` as well when what came makes no sense: there is nobody sane at the other end.
Receive receive(int socket, ControlPacket& packet);

// False with errno.
bool send(int socket, ControlKind kind, std::uint32_t id, int value, const std::string& text, int descriptor = -1);

}  // namespace pyisolate
