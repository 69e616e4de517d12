#pragma once

#include <liburing.h>
#include <sys/mman.h>

#include <cstdint>

#include "../system_failure.h"

namespace pyisolate::io {

class Pages {
 public:
  explicit Pages(std::size_t bytes)
      : bytes_(bytes), start_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (start_ == MAP_FAILED) throw SystemFailure("mmap");
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages() { ::munmap(start_, bytes_); }
  std::uint8_t* at(std::size_t offset) const { return static_cast<std::uint8_t*>(start_) + offset; }

 private:
  std::size_t bytes_;
  void* start_;
};

// Buffers that the kernel chooses from, for whatever is received (Linux 5.19). They outlive the ring, which writes to
// them until it is gone.
class UringBuffers {
 public:
  // `count`: a power of two. Memory is the kernel's to give as it is touched.
  UringBuffers(std::uint16_t group, unsigned count, std::size_t bytes)
      : group_(group), count_(count), bytes_(bytes), memory_(count * bytes), table_(count * sizeof(io_uring_buf)) {}

  std::uint16_t group() const { return group_; }

  // Throws SystemFailure.
  void provide(io_uring* ring) {
    io_uring_buf_reg reg{};
    reg.ring_addr = reinterpret_cast<std::uintptr_t>(table_.at(0));
    reg.ring_entries = count_;
    reg.bgid = group_;
    if (const int error = io_uring_register_buf_ring(ring, &reg, 0); error != 0)
      throw SystemFailure("io_uring_register", -error);
    io_uring_buf_ring_init(table());
    for (unsigned i = 0; i < count_; ++i) add(i, static_cast<int>(i));
    io_uring_buf_ring_advance(table(), static_cast<int>(count_));
  }

  // Of a completion that has one.
  std::uint8_t* of(const io_uring_cqe& cqe) const {
    return memory_.at((cqe.flags >> IORING_CQE_BUFFER_SHIFT) * bytes_);
  }
  void recycle(const io_uring_cqe& cqe) {
    add(cqe.flags >> IORING_CQE_BUFFER_SHIFT, 0);
    io_uring_buf_ring_advance(table(), 1);
  }

 private:
  io_uring_buf_ring* table() const { return reinterpret_cast<io_uring_buf_ring*>(table_.at(0)); }
  void add(unsigned id, int offset) {
    io_uring_buf_ring_add(table(), memory_.at(id * bytes_), static_cast<unsigned>(bytes_),
                          static_cast<unsigned short>(id), io_uring_buf_ring_mask(count_), offset);
  }

  std::uint16_t group_;
  unsigned count_;
  std::size_t bytes_;
  Pages memory_;
  Pages table_;
};

}  // namespace pyisolate::io
