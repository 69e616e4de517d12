// How much this process has sealed, as the kernel counts it: the offset of an open file (lseek(2)) is no memory of the
// process, and nothing that writes an image back into that sets it back.
#pragma once

#include <cstdint>
#include <mutex>

#include "unique_fd.h"

namespace pyisolate {

class Witness {
 public:
  // The process's own. Throws SystemFailure.
  static Witness& get();
  // Counts texts that are about to be sealed. Throws seal::KeyRestored where this process's memory is behind the
  // kernel's count, from then on for good; by one thread at a time.
  void advance(std::uint64_t count);

 private:
  Witness();

  std::mutex lock_;
  UniqueFd file_;
  std::uint64_t count_ = 0;
};

}  // namespace pyisolate
