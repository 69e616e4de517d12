#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "../unique_fd.h"

namespace pyisolate::broker {

// What the supervisor's enforcers know a sandbox's Internet sockets by: values in the sockets' own storage
// (BPF_MAP_TYPE_SK_STORAGE, Linux 5.2). The kernel copies them to what a listener accepts.
class SocketMarks {
 public:
  // Marks are to come: no socket is made until then.
  static SocketMarks awaited();

  // Adds one; `map` is copied. Whether it can be a mark; `problem` says why not.
  bool add(int map, std::span<const std::uint8_t> value, std::string& problem);
  // Before the guest has the socket. 0, or the errno that it doesn't get it with.
  int put(int socket) const;

 private:
  struct Mark {
    UniqueFd map;
    std::vector<std::uint8_t> value;
  };
  std::vector<Mark> marks_;
  bool awaited_ = false;
};

}  // namespace pyisolate::broker
