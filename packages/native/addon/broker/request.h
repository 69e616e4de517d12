#pragma once

#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <vector>

#include "guest_memory.h"

namespace pyisolate::broker {

enum class Kind : std::uint8_t {
  denied,  // not one that is made for anybody
  open,
  stat,
  statx,
  statfs,
  access,
  readlink,
  chdir,
  getcwd,
  mkdir,
  rmdir,
  unlink,
  rename,
  link,
  symlink,
  truncate,
  chmod,
  utimens,
  socket,
  connect,
  bind,
  listen,
  send,
};

// One call with everything its pointers point at, copied once: what a guest's other threads write afterwards changes
// nothing any more.
struct Request {
  Kind kind;
  int number = 0;   // of the call
  int folder = -1;  // a descriptor of the guest, or AT_FDCWD
  std::string path;
  int folder2 = -1;
  std::string path2;        // of rename and link: the new name
  std::uint64_t flags = 0;  // the call's own; of sockets their type
  std::uint64_t mode = 0;   // permissions, an access mode, a statx mask, a length, a backlog
  std::uint64_t out = 0;    // where the result goes, in the guest
  std::size_t room = 0;     // bytes there
  int fd = -1;              // of socket calls; their domain of socket()
  int protocol = 0;
  bool by_fd = false;  // the path is empty and the descriptor itself is meant (AT_EMPTY_PATH)
  timespec times[2] = {};
  bool has_times = false;
  sockaddr_storage peer{};
  socklen_t peer_bytes = 0;
  std::vector<std::uint8_t> data;
};

// The most that one sendto(2) or sendmsg(2) carries here; a stream takes the rest with the next call.
inline constexpr std::size_t kMostData = 1 << 18;

// Reads a notified call. 0, or the errno that it fails with: ENOSYS for a call that the broker doesn't make.
int decode(const seccomp_data& call, Memory& memory, Request& request);

}  // namespace pyisolate::broker
