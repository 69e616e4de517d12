#include "zygote/huge_code.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "zygote/huge_pages.h"

namespace pyisolate {
namespace {

struct Segment {
  std::uintptr_t from;
  std::uintptr_t to;
  int protection;
};

// The segments of the executable, the first object that is told, that nobody writes to.
int collect(dl_phdr_info* object, std::size_t, void* found) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  for (const auto& header : std::span(object->dlpi_phdr, object->dlpi_phnum)) {
    if (header.p_type != PT_LOAD || (header.p_flags & PF_W) != 0 || header.p_filesz != header.p_memsz) continue;
    const std::uintptr_t at = object->dlpi_addr + header.p_vaddr;
    static_cast<std::vector<Segment>*>(found)->push_back({at & ~(page - 1),
                                                          (at + header.p_memsz + page - 1) & ~(page - 1),
                                                          PROT_READ | ((header.p_flags & PF_X) != 0 ? PROT_EXEC : 0)});
  }
  return 1;
}

// Whole huge pages, where nothing else lies behind the segment: a rest in small pages is copied entry by entry.
std::size_t rounded_up(const Segment& segment) {
  const std::size_t bytes = segment.to - segment.from;
  const std::uintptr_t end = (segment.to + kHugePage - 1) & ~(kHugePage - 1);
  if (end == segment.to) return bytes;
  auto* behind = reinterpret_cast<void*>(segment.to);
  void* probe = mmap(behind, end - segment.to, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (probe == MAP_FAILED) return bytes;
  if (probe != behind) munmap(probe, end - segment.to);
  return probe == behind ? end - segment.from : bytes;
}

void move(const Segment& segment) {
  const std::size_t bytes = rounded_up(segment);
  void* raw =
      mmap(nullptr, bytes + 2 * kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (raw == MAP_FAILED) return;
  // As far into a huge page as the segment itself, so that whole ones are moved.
  const auto base = (reinterpret_cast<std::uintptr_t>(raw) + kHugePage - 1) & ~(kHugePage - 1);
  auto* copy = reinterpret_cast<std::uint8_t*>(base + (segment.from & (kHugePage - 1)));
  const auto first = (reinterpret_cast<std::uintptr_t>(copy) + kHugePage - 1) & ~(kHugePage - 1);
  madvise(reinterpret_cast<void*>(base), bytes + kHugePage, MADV_HUGEPAGE);
  std::memcpy(copy, reinterpret_cast<const void*>(segment.from), segment.to - segment.from);
  bool huge = true;
  for (std::uintptr_t at = first; at + kHugePage <= reinterpret_cast<std::uintptr_t>(copy) + bytes; at += kHugePage) {
    huge = collapse(at) && huge;
  }
  // Never writable and executable at once. Replacing code by itself while it runs is one system call.
  if (huge && mprotect(copy, bytes, segment.protection) == 0) {
    mremap(copy, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, reinterpret_cast<void*>(segment.from));
  }
  munmap(raw, bytes + 2 * kHugePage);  // the rest; all of it where the move failed
}

}  // namespace

void use_huge_code() {
  std::vector<Segment> segments;
  dl_iterate_phdr(collect, &segments);
  for (const Segment& segment : segments) {
    if (segment.to - segment.from >= kHugePage) move(segment);
  }
}

}  // namespace pyisolate
