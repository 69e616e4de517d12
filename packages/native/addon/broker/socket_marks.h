#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "../unique_fd.h"

namespace pyisolate::broker {

// What a sandbox's sockets have carried, in bytes, as an enforcer counts it.
struct SocketBytes {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
};

// What the supervisor's enforcers know a sandbox's sockets by: values in the sockets' own storage
// (BPF_MAP_TYPE_SK_STORAGE, Linux 5.2). The kernel copies them to what a listener accepts.
class SocketMarks {
 public:
  // Marks are to come: no socket is made until then.
  static SocketMarks awaited();

  // Adds one; `map` is copied. Whether it can be a mark; `problem` says why not.
  bool add(int map, std::span<const std::uint8_t> value, std::string& problem);
  // Where marked sockets are counted: a record of an array (BPF_MAP_TYPE_ARRAY), and offsets in it. The same.
  bool count_in(int map, std::uint32_t index, std::uint32_t sent_at, std::uint32_t received_at, std::string& problem);
  // Nothing where nobody counts.
  SocketBytes bytes() const;
  // Before the guest has the socket. 0, or the errno that it doesn't get it with.
  int put(int socket) const;

 private:
  struct Mark {
    UniqueFd map;
    std::vector<std::uint8_t> value;
  };
  struct Count {
    UniqueFd map;
    std::uint32_t index = 0, sent_at = 0, received_at = 0, size = 0;
  };
  std::vector<Mark> marks_;
  std::vector<Count> counts_;
  bool awaited_ = false;
};

}  // namespace pyisolate::broker
