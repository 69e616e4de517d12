// The world a zygote shares with its cells: namespaces and a root that holds only what guests may read.
#pragma once

#include <string>
#include <vector>

#include "confine/report.h"
#include "options.h"

namespace pyisolate {

struct World {
  std::string home;  // CPython's prefix as seen from inside
  std::string stdlib;
  std::vector<std::string> readable;  // paths for Landlock, as seen from inside
  std::vector<std::string> module_paths;
  int proc = -1;                           // O_PATH of the host's /proc, for the id maps; never reaches a guest
  int null = -1;                           // /dev/null
  unsigned long long cell_namespaces = 0;  // CLONE_NEW* flags that cells can be cloned with
};

// The uid cells get when the supervisor is root: above what distributions and systemd hand out
// (systemd's UIDS-GIDS.md leaves 2,000,000,000 and up to nobody).
inline constexpr unsigned kCellUid = 2'000'013'313;

// Enters it; whatever the host refuses is in `report`. Returns false, with `problem`, only when going on
// would leave the zygote between two worlds.
bool enter_world(const ZygoteOptions& options, World& world, Report& report, std::string& problem);

// Builds the minimal root under a tmpfs and makes it `/`. Needs CAP_SYS_ADMIN over the mount namespace.
// Returns the failed step, or an empty string; errno then tells why.
std::string enter_root(const ZygoteOptions& options, World& world);

}  // namespace pyisolate
