#include "python/account.h"

#include <Python.h>
#include <mimalloc/mimalloc.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <unordered_map>

#include "python/refusals.h"

namespace pyisolate {
namespace {

// Which account an interpreter's threads belong to; each looks it up once.
std::mutex registry_lock;
std::unordered_map<PyInterpreterState*, Account*>& registry() {
  static auto* map = new std::unordered_map<PyInterpreterState*, Account*>;
  return *map;
}

// A thread counts for itself, and tells its account when that comes to this many bytes: an atomic addition for every
// object cost a fifth of the speed of programs that make many. A cap is exact to so much per thread.
constexpr std::int64_t kUntold = 64 << 10;

// What a guest may take beyond the cap in one request, and in all of them; and what its requests and answers may. The
// first answer that describes an error takes half of that, for the modules it needs.
constexpr std::int64_t kGrant = 64 << 10;
constexpr std::int64_t kGuestReserve = 5 << 20;
constexpr std::int64_t kReserve = 6 << 20;

struct Mine {
  Account* account = nullptr;
  PyInterpreterState* in = nullptr;
  std::int64_t untold = 0;
  std::int64_t reserve = 0;
  bool armed = false;  // whether this thread's end will tell the rest

  void tell() {
    if (account != nullptr) account->used.fetch_add(untold, std::memory_order_relaxed);
    untold = 0;
  }
};
// Nothing to construct or destroy: the quick path needs no guard.
constinit thread_local Mine mine;

// Tells the rest, unless the account is gone with its interpreter. Under registry_lock.
void tell_if_there() {
  const auto found = registry().find(mine.in);
  if (found != registry().end() && found->second == mine.account) mine.tell();
  mine.untold = 0;
}

// At the end of a thread; else threads that come and go could hide what they leave behind.
struct AtEnd {
  ~AtEnd() {
    std::lock_guard guard(registry_lock);
    tell_if_there();
  }
};

[[gnu::noinline]] void look_up(PyInterpreterState* interpreter) {
  if (!mine.armed) {
    mine.armed = true;
    static thread_local AtEnd at_end;
    (void)at_end;
  }
  std::lock_guard guard(registry_lock);
  tell_if_there();
  const auto found = registry().find(interpreter);
  mine.account = found == registry().end() ? nullptr : found->second;
  mine.in = interpreter;
}

Account* here() {
  const PyThreadState* state = PyThreadState_GetUnchecked();
  if (state == nullptr) return nullptr;
  if (state->interp != mine.in) [[unlikely]]
    look_up(state->interp);
  return mine.account;
}

bool admits(Account* account, std::size_t size) {
  if (account == nullptr) return true;
  const std::int64_t cap = account->cap.load(std::memory_order_relaxed);
  const std::int64_t used = account->used.load(std::memory_order_relaxed) + mine.untold;
  if (cap == 0 || used + static_cast<std::int64_t>(size) <= cap + mine.reserve) [[likely]]
    return true;
  account->refused.store(true, std::memory_order_relaxed);
  note_refusal(Refused::memory);
  return false;
}

void count(const Account* account, std::int64_t bytes) {
  if (account == nullptr) return;
  mine.untold += bytes;
  if (mine.untold >= kUntold || mine.untold <= -kUntold) [[unlikely]]
    mine.tell();
}

std::int64_t size_of(void* block) { return block == nullptr ? 0 : static_cast<std::int64_t>(mi_usable_size(block)); }

struct Wrapped {
  PyMemAllocatorEx inner;
};
Wrapped memory, objects;

void* take(void* context, std::size_t size) {
  Account* account = here();
  if (!admits(account, size)) return nullptr;
  auto& inner = static_cast<Wrapped*>(context)->inner;
  void* block = inner.malloc(inner.ctx, size);
  if (account != nullptr) count(account, size_of(block));
  return block;
}

void* take_zeroed(void* context, std::size_t count_of, std::size_t size) {
  Account* account = here();
  std::size_t total;
  if (__builtin_mul_overflow(count_of, size, &total) || !admits(account, total)) return nullptr;
  auto& inner = static_cast<Wrapped*>(context)->inner;
  void* block = inner.calloc(inner.ctx, count_of, size);
  count(account, size_of(block));
  return block;
}

void* resize(void* context, void* block, std::size_t size) {
  Account* account = here();
  const std::int64_t before = size_of(block);
  if (static_cast<std::int64_t>(size) > before && !admits(account, size - before)) return nullptr;
  auto& inner = static_cast<Wrapped*>(context)->inner;
  void* moved = inner.realloc(inner.ctx, block, size);
  if (moved != nullptr) count(account, size_of(moved) - before);
  return moved;
}

void give_back(void* context, void* block) {
  if (block != nullptr) count(here(), -size_of(block));
  auto& inner = static_cast<Wrapped*>(context)->inner;
  inner.free(inner.ctx, block);
}

void wrap(PyMemAllocatorDomain domain, Wrapped& wrapped) {
  PyMem_GetAllocator(domain, &wrapped.inner);
  PyMemAllocatorEx ours = {&wrapped, take, take_zeroed, resize, give_back};
  PyMem_SetAllocator(domain, &ours);
}

}  // namespace

void grant(Grant what) {
  const Account* account = here();
  if (account == nullptr) return;
  if (what == Grant::request) {
    mine.reserve = kReserve;
    return;
  }
  const std::int64_t used = account->used.load(std::memory_order_relaxed) + mine.untold;
  mine.reserve =
      std::clamp<std::int64_t>(used + kGrant - account->cap.load(std::memory_order_relaxed), 0, kGuestReserve);
}

Account* current_account() { return here(); }

void install_accounting() {
  wrap(PYMEM_DOMAIN_MEM, memory);
  wrap(PYMEM_DOMAIN_OBJ, objects);
}

void use_account(Account* account) {
  {
    std::lock_guard guard(registry_lock);
    registry()[PyInterpreterState_Get()] = account;
  }
  look_up(PyInterpreterState_Get());
}

void forget_account(Account* account) {
  std::lock_guard guard(registry_lock);
  std::erase_if(registry(), [account](const auto& entry) { return entry.second == account; });
  mine.account = nullptr;
  mine.in = nullptr;
  mine.untold = 0;
}

}  // namespace pyisolate
