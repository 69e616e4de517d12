#include "seal/secret.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "seal/algorithms.h"

namespace pyisolate::seal {

struct alignas(64) Secret::Slot {
  std::uint8_t key[kKeyBytes];
  std::uint64_t counter;
  std::uint64_t live;
};

namespace {

std::atomic<bool> hidden = false;

// Null where the kernel has none, or RLIMIT_MEMLOCK allows no more of it.
void* hidden_page(std::size_t bytes) {
#ifdef SYS_memfd_secret
  const int fd = static_cast<int>(syscall(SYS_memfd_secret, O_CLOEXEC));
  if (fd < 0) return nullptr;
  void* at = MAP_FAILED;
  if (ftruncate(fd, static_cast<off_t>(bytes)) == 0)
    at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (at == MAP_FAILED) return nullptr;
  if (madvise(at, bytes, MADV_DONTFORK) == 0) return at;
  munmap(at, bytes);
#else
  (void)bytes;
#endif
  return nullptr;
}

// Places of 64 bytes in memory that is never given back: a process has as many as it once had keys at a time.
class Places {
 public:
  static Places& get() {
    static auto* all = new Places;  // other threads may outlive whoever would delete it
    return *all;
  }
  void* take(std::size_t bytes) {
    std::lock_guard guard(lock_);
    if (free_.empty()) grow(bytes);
    void* place = free_.back();
    free_.pop_back();
    return place;
  }
  void give(void* place) {
    std::lock_guard guard(lock_);
    free_.push_back(place);
  }

 private:
  void grow(std::size_t bytes) {
    if (!hidden) return grow_here(bytes);
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    void* at = hidden_page(page);
    const bool plain = at == nullptr;
    if (plain) at = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(at != MAP_FAILED, "no memory for keys");
    if (plain && (madvise(at, page, MADV_DONTDUMP) != 0 || madvise(at, page, MADV_WIPEONFORK) != 0)) {
      munmap(at, page);
      need(false, "madvise(2) of memory for keys");
    }
    add(static_cast<std::uint8_t*>(at), page, bytes);
  }
  // A cell can't fork, and leaves no core file: a page of their own would cost each spawn for nothing.
  void grow_here(std::size_t bytes) {
    alignas(64) static std::uint8_t first[4 * 64];
    if (!std::exchange(begun_, true)) return add(first, sizeof first, bytes);
    constexpr std::size_t kChunk = 4096;
    auto* at = static_cast<std::uint8_t*>(std::aligned_alloc(64, kChunk));
    need(at != nullptr, "no memory for keys");
    add(at, kChunk, bytes);
  }
  void add(std::uint8_t* at, std::size_t size, std::size_t bytes) {
    free_.reserve(free_.size() + size / bytes);
    for (std::size_t offset = size; offset >= bytes; offset -= bytes) free_.push_back(at + offset - bytes);
  }

  std::mutex lock_;
  std::vector<void*> free_;
  bool begun_ = false;
};

}  // namespace

void hide_secrets() { hidden = true; }

Secret::Secret(std::span<const std::uint8_t, kKeyBytes> key)
    : slot_(static_cast<Slot*>(Places::get().take(sizeof(Slot)))) {
  std::memcpy(slot_->key, key.data(), kKeyBytes);
  slot_->counter = 0;
  slot_->live = 1;
}

Secret::Secret(Secret&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}

Secret::~Secret() {
  if (slot_ == nullptr) return;
  OPENSSL_cleanse(slot_, sizeof *slot_);
  Places::get().give(slot_);
}

const std::uint8_t* Secret::key() const {
  need(slot_->live == 1, "a key that a fork has wiped");
  return slot_->key;
}

std::uint64_t& Secret::counter() const { return slot_->counter; }

}  // namespace pyisolate::seal
