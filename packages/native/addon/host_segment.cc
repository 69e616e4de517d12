#include "host_segment.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <new>

#include "system_failure.h"

namespace pyisolate {

HostSegment HostSegment::create(std::uint32_t ring_bytes, std::uint32_t sealed) {
  UniqueFd memfd(::memfd_create("pyisolate", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memfd) throw SystemFailure("memfd_create");
  const std::size_t bytes = segment_bytes(ring_bytes);
  if (::ftruncate(memfd.get(), static_cast<off_t>(bytes)) != 0) throw SystemFailure("ftruncate");
  if (::fcntl(memfd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) throw SystemFailure("fcntl");
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memfd.get(), 0);
  if (memory == MAP_FAILED) throw SystemFailure("mmap");
  auto* header = new (memory) SegmentHeader{};
  header->magic = kSegmentMagic;
  header->ring_bytes = ring_bytes;
  header->sealed = sealed;
  // Nobody looks at the host's ring before its first bytes arrive.
  header->to_host.reader_sleeps.store(1, std::memory_order_relaxed);
  return {header, std::move(memfd), ring_bytes};
}

HostSegment::~HostSegment() {
  if (header_ != nullptr) ::munmap(header_, segment_bytes(ring_bytes_));
}

}  // namespace pyisolate
