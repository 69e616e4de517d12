#include "zygote/huge_pages.h"

#include <sys/mman.h>

#include "zygote/maps.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

namespace pyisolate {

bool collapse(std::uintptr_t address) {
  return madvise(reinterpret_cast<void*>(address), kHugePage, MADV_COLLAPSE) == 0;
}

void use_huge_pages(int proc) {
  for (const Mapping& mapping : read_maps(proc)) {
    if (mapping.of_file || !mapping.writable || mapping.shared) continue;
    // What lies of it at whole huge pages. One that nothing is on yet can't be collapsed, and must not stop the others.
    const std::uintptr_t end = mapping.to & ~(kHugePage - 1);
    for (std::uintptr_t at = (mapping.from + kHugePage - 1) & ~(kHugePage - 1); at < end; at += kHugePage) collapse(at);
  }
}

}  // namespace pyisolate
