#include "zygote/huge_pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

namespace pyisolate {
namespace {

constexpr std::uintptr_t kHuge = 2u << 20;

struct Range {
  std::uintptr_t from;
  std::uintptr_t to;
};

// What lies of writable private memory without a file behind it at whole huge pages.
std::vector<Range> candidates(std::FILE* maps) {
  std::vector<Range> found;
  char line[4096 + 256];
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    unsigned long start, end, offset, inode;
    char rights[5], device[16];
    if (std::sscanf(line, "%lx-%lx %4s %lx %15s %lu", &start, &end, rights, &offset, device, &inode) != 6) continue;
    const Range range = {(start + kHuge - 1) & ~(kHuge - 1), end & ~(kHuge - 1)};
    if (inode == 0 && rights[1] == 'w' && rights[3] == 'p' && range.from < range.to) found.push_back(range);
  }
  return found;
}

}  // namespace

void use_huge_pages(int proc) {
  const int fd = openat(proc, "self/maps", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> maps(fdopen(fd, "r"), std::fclose);
  if (!maps) {
    close(fd);
    return;
  }
  // One huge page at a time: one that nothing is on yet can't be collapsed, and must not stop the others.
  for (const Range& range : candidates(maps.get())) {
    for (std::uintptr_t at = range.from; at < range.to; at += kHuge) {
      madvise(reinterpret_cast<void*>(at), kHuge, MADV_COLLAPSE);
    }
  }
}

}  // namespace pyisolate
