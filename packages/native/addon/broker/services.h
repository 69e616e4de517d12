#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "client.h"

namespace pyisolate::broker {

// What a guest asked its supervisor for, rather than its kernel: judged by the policy in force as the same call of its
// own would be, and made in this process. The descriptor stays here.
struct Service {
  int error = 0;
  std::shared_ptr<UniqueFd> fd;
  std::uint64_t size = 0;  // of a file
  // Of a socket: where to connect it to, by whoever can wait, while `hold` keeps what was judged.
  sockaddr_storage peer{};
  socklen_t peer_bytes = 0;
  std::shared_ptr<UniqueFd> hold;
  // Whether the policy that is in force by now still allows it: judged again once for each. One thread at a time, and
  // it doesn't wait; a denial becomes an event. Contracts, which count, are not asked again.
  std::function<bool()> granted;
};

// A guest keeps at most this many workers busy, whatever hangs, and whatever it gives up.
inline constexpr int kAskingEach = 2;
// Its turn, until the last copy is gone; null if it has none left.
std::shared_ptr<void> take_turn(std::shared_ptr<Client> client);

using Asking = std::shared_ptr<Client>;

// A regular file, by a path as the guest sees it. `flags`: of open(2), O_ACCMODE, O_CREAT, O_EXCL, O_TRUNC alone.
Service open_service(const Asking& client, const std::string& path, std::uint64_t flags, std::uint32_t mode);
// A TCP or Unix stream, not connected yet.
Service connect_service(const Asking& client, const sockaddr_storage& peer, socklen_t bytes);
// A TCP or Unix socket that listens. An IPv6 address means IPv6 alone: its rule says nothing of IPv4.
Service listen_service(const Asking& client, const sockaddr_storage& at, socklen_t bytes, int backlog);
// A UDP socket: bound, or with no `bytes` one that sends from wherever the kernel says, to IPv4 and IPv6.
Service datagram_service(const Asking& client, const sockaddr_storage& at, socklen_t bytes);
// Whether a datagram may go there: 0, or an errno. Doesn't wait.
int send_service(Client& client, const sockaddr_storage& peer, socklen_t bytes, std::size_t size);

}  // namespace pyisolate::broker
