// What turns a fresh fork of the zygote into a confined cell, before any guest byte.
#pragma once

#include <linux/filter.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "confine/privileges.h"
#include "confine/report.h"
#include "transport/channel.h"
#include "zygote/world.h"

namespace pyisolate {

// Prepared once by the zygote; cells inherit it.
struct Confinement {
  World world;
  std::vector<std::string> preload;  // for further interpreters
  Report report;                     // the zygote's part
  int ruleset = -1;
  int landlock_abi = 0;
  int landlock_error = 0;
  std::vector<sock_filter> filter;
  std::vector<sock_filter> notify_filter;  // of brokered cells
  // Of brokered process cells whose policy denies calls of the profile: the supervisor answers those, and tells of
  // them.
  std::vector<sock_filter> lone_filter;
  std::string filter_problem;
  bool brokered = false;
  MemoryBase memory;
  std::optional<seal::KeyPair> keys;  // of the next cell alone: the zygote makes others once it has forked
};

// The payload of a `ready` frame.
std::vector<std::uint8_t> ready_payload(const Report& report);

inline constexpr int kCellBellFd = 3;
inline constexpr int kCellControlFd = 4;

// Confines the calling process for good, then opens its channel and says `ready`. Ends the process when
// something essential is missing. `control`: the cell's end of its control socket, or -1; it becomes
// kCellControlFd. `supervisor_socket`: the zygote's, to learn whether the supervisor still lives.
std::unique_ptr<Channel> enter_cell(Confinement& prepared, int segment, int bell, int control, int supervisor_socket);

}  // namespace pyisolate
