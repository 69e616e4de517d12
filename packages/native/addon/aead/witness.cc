#include "aead/witness.h"

#include <sys/mman.h>
#include <unistd.h>

#include "seal/algorithms.h"
#include "system_failure.h"

namespace pyisolate {

Witness& Witness::get() {
  static auto* one = new Witness;  // other threads may outlive whoever would delete it
  return *one;
}

Witness::Witness() : file_(::memfd_create("pyisolate-nonces", MFD_CLOEXEC)) {
  if (!file_) throw SystemFailure("memfd_create");
}

void Witness::advance(std::uint64_t count) {
  std::lock_guard guard(lock_);
  const off_t now = ::lseek(file_.get(), static_cast<off_t>(count), SEEK_CUR);
  if (now < 0 || static_cast<std::uint64_t>(now) != count_ + count) throw seal::KeyRestored();
  count_ += count;
}

}  // namespace pyisolate
