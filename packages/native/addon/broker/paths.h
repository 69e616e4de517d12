#pragma once

#include <string>

#include "../unique_fd.h"
#include "call.h"

namespace pyisolate::broker {

// What a path leads to, found by walking it once. A descriptor holds on to it, so that what is judged is what is used,
// whatever is renamed or replaced meanwhile.
struct Found {
  int error = 0;     // ENOENT: nothing has that name; then `path` is what it would be called, if its folder is there
  UniqueFd fd;       // O_PATH
  std::string path;  // as the guest sees it, links resolved; the root folder is the empty text
};

// The folder that a name is to be made in, or taken from, and the name itself: one that is no link any more.
struct Entry {
  int error = 0;
  UniqueFd folder;  // O_PATH
  std::string name;
  std::string path;  // of the entry
};

// openat2(2) (Linux 5.6) with RESOLVE_NO_MAGICLINKS: procfs can't lead elsewhere. `folder`: a descriptor of the guest's
// or AT_FDCWD.
Found find(const Call& call, int folder, const std::string& path, bool follow);
// The object of a descriptor of the guest's.
Found find_descriptor(const Call& call, int number);
Entry find_entry(const Call& call, int folder, const std::string& path);

// Where an open descriptor is, as the guest sees it; "/proc" for what has no place in its view.
std::string path_of(const Call& call, int fd);
// "/proc/self/fd/N": a name for what a descriptor of ours holds.
std::string magic_link(int fd);

}  // namespace pyisolate::broker
