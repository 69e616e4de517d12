#include "python/account.h"

#include <Python.h>
#include <mimalloc/mimalloc.h>

#include <cstring>
#include <mutex>
#include <unordered_map>

namespace pyisolate {
namespace {

// Which account a thread of an interpreter belongs to; threads look it up once.
std::mutex registry_lock;
std::unordered_map<PyInterpreterState*, Account*>& registry() {
  static auto* map = new std::unordered_map<PyInterpreterState*, Account*>;
  return *map;
}

thread_local Account* mine = nullptr;
thread_local PyInterpreterState* mine_in = nullptr;

}  // namespace

Account* current_account() {
  PyThreadState* state = PyThreadState_GetUnchecked();
  if (state == nullptr) return mine;
  PyInterpreterState* interpreter = PyThreadState_GetInterpreter(state);
  if (interpreter != mine_in) {
    std::lock_guard guard(registry_lock);
    const auto found = registry().find(interpreter);
    mine = found == registry().end() ? nullptr : found->second;
    mine_in = interpreter;
  }
  return mine;
}

namespace {

bool admits(Account* account, std::size_t size) {
  if (account == nullptr) return true;
  const std::int64_t cap = account->cap.load(std::memory_order_relaxed);
  return cap == 0 || account->used.load(std::memory_order_relaxed) + static_cast<std::int64_t>(size) <= cap;
}

void count(Account* account, std::int64_t bytes) {
  if (account != nullptr) account->used.fetch_add(bytes, std::memory_order_relaxed);
}

std::int64_t size_of(void* block) { return block == nullptr ? 0 : static_cast<std::int64_t>(mi_usable_size(block)); }

struct Wrapped {
  PyMemAllocatorEx inner;
};
Wrapped memory, objects;

void* take(void* context, std::size_t size) {
  Account* account = current_account();
  if (!admits(account, size)) return nullptr;
  auto& inner = static_cast<Wrapped*>(context)->inner;
  void* block = inner.malloc(inner.ctx, size);
  count(account, size_of(block));
  return block;
}

void* take_zeroed(void* context, std::size_t count_of, std::size_t size) {
  Account* account = current_account();
  std::size_t total;
  if (__builtin_mul_overflow(count_of, size, &total) || !admits(account, total)) return nullptr;
  auto& inner = static_cast<Wrapped*>(context)->inner;
  void* block = inner.calloc(inner.ctx, count_of, size);
  count(account, size_of(block));
  return block;
}

void* resize(void* context, void* block, std::size_t size) {
  Account* account = current_account();
  const std::int64_t before = size_of(block);
  if (static_cast<std::int64_t>(size) > before && !admits(account, size - before)) return nullptr;
  auto& inner = static_cast<Wrapped*>(context)->inner;
  void* moved = inner.realloc(inner.ctx, block, size);
  if (moved != nullptr) count(account, size_of(moved) - before);
  return moved;
}

void give_back(void* context, void* block) {
  if (block != nullptr) count(current_account(), -size_of(block));
  auto& inner = static_cast<Wrapped*>(context)->inner;
  inner.free(inner.ctx, block);
}

void wrap(PyMemAllocatorDomain domain, Wrapped& wrapped) {
  PyMem_GetAllocator(domain, &wrapped.inner);
  PyMemAllocatorEx ours = {&wrapped, take, take_zeroed, resize, give_back};
  PyMem_SetAllocator(domain, &ours);
}

}  // namespace

void install_accounting() {
  wrap(PYMEM_DOMAIN_MEM, memory);
  wrap(PYMEM_DOMAIN_OBJ, objects);
}

void use_account(Account* account) {
  PyInterpreterState* interpreter = PyInterpreterState_Get();
  std::lock_guard guard(registry_lock);
  registry()[interpreter] = account;
  mine = account;
  mine_in = interpreter;
}

void forget_account(Account* account) {
  std::lock_guard guard(registry_lock);
  std::erase_if(registry(), [account](const auto& entry) { return entry.second == account; });
  mine = nullptr;
  mine_in = nullptr;
}

}  // namespace pyisolate
