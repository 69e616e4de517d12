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

// Enters it; whatever the host refuses is in `report`. Returns false, with `problem`, only when going on
// would leave the zygote between two worlds.
bool enter_world(const ZygoteOptions& options, World& world, Report& report, std::string& problem);

// A tree of the host's, detached, and where it is to appear.
struct View {
  std::string from;
  std::string to;
  bool device;
  int tree = -1;
};

// Clones what the root will hold, the standard library first: while the caller can reach it, and before the root's
// tmpfs hides where it is. Needs CAP_SYS_ADMIN over the mount namespace. Both return the failed step, or an empty
// string; errno then tells why.
std::string take_views(const ZygoteOptions& options, std::vector<View>& views);

// Builds the minimal root under a tmpfs and makes it `/`. Needs the same, and file system ids that are mapped
// (user_namespaces(7)): nobody else can make a file.
std::string enter_root(const std::vector<View>& views, World& world);

}  // namespace pyisolate
