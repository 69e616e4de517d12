// Capabilities, rlimits and process attributes of a cell.
#pragma once

#include <cstdint>

#include "confine/report.h"

namespace pyisolate {

// no_new_privs, empty capability sets, not dumpable, no memory that turns executable (Linux 6.3).
// `readable`: the supervisor, if of the same uid, may read the memory and take descriptors (the broker does both).
void drop_privileges(Report& report, bool readable);

// What no guest needs, whatever its limits: core dumps, locked memory, queues, files to write, priorities.
// For the zygote, which needs none of it either: cells inherit it. `brokered`: files to write come with apply_limits().
void fixed_rlimits(Report& report, bool brokered);

// Size of the address space before a guest runs, bytes.
struct MemoryBase {
  std::uint64_t data = 0;
  std::uint64_t address_space = 0;
};
// From /proc/self/status of the zygote; zeros when unreadable.
MemoryBase measure_memory(int proc);

struct Limits {
  std::uint64_t memory = 0;    // bytes of private memory beyond the base; 0: none
  double cpu_seconds = 0;      // 0: none
  std::uint64_t threads = 16;  // beside the sandbox's first
  std::uint64_t open_files = 64;
  std::uint64_t file_size = 0;  // bytes of a file that is written
  std::uint64_t reserve = 0;    // bytes of address space for what isn't the guest's
};
// Beyond `memory`, for taking requests in and answering them: python/reserve.h.
inline constexpr std::int64_t kMemoryReserve = 4 << 20;

// Hard limits, so that a guest can only lower them; memory's soft one is below it by the reserve. False with errno when
// one can't be set.
bool apply_limits(const Limits& limits, const MemoryBase& base);

}  // namespace pyisolate
