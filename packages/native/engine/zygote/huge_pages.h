#pragma once

#include <cstdint>

namespace pyisolate {

constexpr std::uintptr_t kHugePage = 2u << 20;

// Makes what lies at `address`, a multiple of kHugePage, one huge page; false where that can't be had.
bool collapse(std::uintptr_t address);

// Puts the interpreter's heap on huge pages (madvise(2), MADV_COLLAPSE, Linux 6.1): fork then copies a page table
// entry per 2 MiB rather than per 4 KiB, and exit drops as few. A cell still copies single small pages as it writes.
// Costs up to twice the heap's memory, once per zygote. Where it can't be had, forks take longer; nothing else.
// `proc`: a descriptor of a /proc directory.
void use_huge_pages(int proc);

}  // namespace pyisolate
