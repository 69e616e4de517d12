#pragma once

namespace pyisolate {

// Moves the engine's own code and constants from the executable's file to private huge pages, in place (mremap(2),
// madvise(2) MADV_COLLAPSE, Linux 6.1). fork copies no page tables of what has a file behind it, so that each cell
// would fault its code in again, some hundred times before its first line; of a huge page it copies one entry. Costs
// 16 MiB, once per zygote. Where it can't be had, the code stays where it is: cells start more slowly, nothing else.
void use_huge_code();

}  // namespace pyisolate
