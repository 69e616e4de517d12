// A key that seals no two texts under one counter, whoever calls it.
#pragma once

#include <optional>

#include "seal/aead.h"

namespace pyisolate {

class CountedKey {
 public:
  explicit CountedKey(std::span<const std::uint8_t, seal::kKeyBytes> key);

  // Takes `count` counters from the nonce's on for sealing. False: one of them, or a later one, was taken before, or
  // they end beyond 2^64 - 1. Only this moves the mark, and only forward. Throws seal::KeyRestored, CryptoFailure.
  bool take(const seal::Nonce& first, std::uint64_t count);

  seal::Cipher& sealing() { return sealing_; }
  seal::Cipher& opening() { return opening_; }

 private:
  seal::Cipher sealing_;
  seal::Cipher opening_;
  std::uint64_t next_ = 0;  // once more beside the key: both agree
  bool exhausted_ = false;
};

}  // namespace pyisolate
