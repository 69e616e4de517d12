#pragma once

#include <cstdint>
#include <utility>

#include "../shared/ring.h"
#include "unique_fd.h"

namespace pyisolate {

// The supervisor's mapping of one shared segment.
class HostSegment {
 public:
  // Throws SystemFailure. `ring_bytes` has been checked: a power of two in range.
  static HostSegment create(std::uint32_t ring_bytes, std::uint32_t sealed);

  HostSegment(HostSegment&& other) noexcept
      : header_(std::exchange(other.header_, nullptr)),
        memfd_(std::move(other.memfd_)),
        ring_bytes_(other.ring_bytes_) {}
  HostSegment& operator=(HostSegment&&) = delete;
  ~HostSegment();

  SegmentHeader& header() const { return *header_; }
  RingWriter writer() const { return {&header_->to_cell, data(), ring_bytes_}; }
  RingReader reader() const { return {&header_->to_host, data() + ring_bytes_, ring_bytes_}; }

  // To be sent to the cell, then closed.
  UniqueFd& memfd() { return memfd_; }

 private:
  HostSegment(SegmentHeader* header, UniqueFd memfd, std::uint32_t ring_bytes)
      : header_(header), memfd_(std::move(memfd)), ring_bytes_(ring_bytes) {}
  std::uint8_t* data() const { return reinterpret_cast<std::uint8_t*>(header_) + kSegmentHeaderBytes; }

  SegmentHeader* header_;
  UniqueFd memfd_;
  std::uint32_t ring_bytes_;  // our own copy: the shared one is the peer's to scribble on
};

}  // namespace pyisolate
