#pragma once

#include <cstdint>
#include <vector>

namespace pyisolate {

// One line of /proc/self/maps (proc(5)).
struct Mapping {
  std::uintptr_t from;
  std::uintptr_t to;
  bool writable;
  bool shared;
  bool of_file;
};

// This process's mappings; none where they can't be read. `proc`: a descriptor of a /proc directory.
std::vector<Mapping> read_maps(int proc);

}  // namespace pyisolate
