// Memory per interpreter: counts what CPython's allocators hand to a sandbox's threads and refuses past
// its cap, so that the guest sees MemoryError. Fairness among the sandboxes of one cell; what native code
// takes past the allocators is bounded by the cell's own rlimits.
#pragma once

#include <atomic>
#include <cstdint>

namespace pyisolate {

class Guest;

struct Account {
  std::atomic<std::int64_t> used{0};
  std::atomic<std::int64_t> cap{0};      // bytes; 0: none
  std::atomic<std::int64_t> threads{0};  // beside the first; 0: none
  std::atomic<bool> refused{false};      // memory, since this was last asked
  std::atomic<Guest*> guest{nullptr};    // once there is one
};

// Wraps the mem and object allocators. Once, in a cell's main thread, before it has other threads.
void install_accounting();

// Ties allocations of the calling thread, and of threads later started in its interpreter, to `account`
// (null: to nobody). Needs an attached thread state.
void use_account(Account* account);

// The calling thread's, or null.
Account* current_account();

// What the calling thread may take beyond the cap from now on, so that a guest which holds all its memory can still be
// told to let go of it: while its request is taken in or answered, or, far less, while it runs.
enum class Grant { request, guest };
void grant(Grant what);

// After the interpreter's end, from its last thread: forgets the tie.
void forget_account(Account* account);

}  // namespace pyisolate
