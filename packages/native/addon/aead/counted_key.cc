#include "aead/counted_key.h"

#include "aead/witness.h"

namespace pyisolate {

CountedKey::CountedKey(std::span<const std::uint8_t, seal::kKeyBytes> key)
    : sealing_(seal::Cipher::Use::seal, key), opening_(seal::Cipher::Use::open, key) {
  Witness::get();  // or none could seal
}

bool CountedKey::take(const seal::Nonce& first, std::uint64_t count) {
  if (count == 0) return true;
  const std::uint64_t from = first.counter();
  const std::uint64_t last = from + (count - 1);
  if (exhausted_ || from < next_ || last < from) return false;
  if (sealing_.counter() != next_) throw seal::KeyRestored();
  Witness::get().advance(count);
  exhausted_ = last == UINT64_MAX;
  sealing_.counter() = next_ = last + 1;
  return true;
}

}  // namespace pyisolate
