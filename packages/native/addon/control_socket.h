#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "../shared/control.h"
#include "unique_fd.h"

namespace pyisolate {

struct ControlMessage {
  ControlHeader header{};
  std::string text;
  UniqueFd descriptor;
  bool descriptor_lost = false;  // there was no free descriptor to receive it in
};

// A pair of connected SOCK_SEQPACKET sockets, close-on-exec; only single calls on them never wait. Throws
// SystemFailure.
std::array<UniqueFd, 2> control_pair();

// Sends without waiting; returns 0 or an errno.
int send_control(int socket, const ControlHeader& header, std::span<const int> descriptors);

// `none`: nothing there now. `closed`: the peer is gone, or speaks something else.
enum class Received { message, none, closed };
Received receive_control(int socket, ControlMessage& message);

}  // namespace pyisolate
