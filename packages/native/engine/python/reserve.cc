#include "python/reserve.h"

#include <mimalloc/mimalloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "confine/privileges.h"
#include "python/account.h"
#include "python/refusals.h"

namespace pyisolate {
namespace {

std::atomic<bool> refused{false};
std::atomic<bool> short_of_memory{false};  // from the first refusal on: who never gets there pays no system calls

void on_allocator_error(int error, void*) {
  if (error != ENOMEM) return;
  refused.store(true, std::memory_order_relaxed);
  short_of_memory.store(true, std::memory_order_relaxed);
  note_refusal(Refused::memory);
}

// A process's is what lies between its soft and its hard limit.
void move_soft_limit(bool up) {
  rlimit limit;
  if (getrlimit(RLIMIT_DATA, &limit) != 0 || limit.rlim_max == RLIM_INFINITY) return;
  limit.rlim_cur = up ? limit.rlim_max : limit.rlim_max - std::min<rlim_t>(limit.rlim_max, kMemoryReserve);
  setrlimit(RLIMIT_DATA, &limit);
}

}  // namespace

void watch_memory() { mi_register_error(on_allocator_error, nullptr); }

void open_reserve() {
  if (current_account() != nullptr) return grant(Grant::request);
  if (short_of_memory.load(std::memory_order_relaxed)) move_soft_limit(true);
}

void close_reserve() {
  if (current_account() != nullptr) return grant(Grant::guest);
  if (short_of_memory.load(std::memory_order_relaxed)) move_soft_limit(false);
}

bool memory_was_refused() {
  if (Account* account = current_account()) return account->refused.exchange(false, std::memory_order_relaxed);
  // Not written to where there is nothing to take back: that would be a page more of each cell.
  return refused.load(std::memory_order_relaxed) && refused.exchange(false, std::memory_order_relaxed);
}

}  // namespace pyisolate
