// ML-KEM-768 (FIPS 203) by libcrypto's EVP_KEM, where it has that: OpenSSL 3.5 and later.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "seal/algorithms.h"

namespace pyisolate::seal {

// FIPS 203, section 8, table 3.
inline constexpr std::size_t kKemPublicBytes = 1184;
inline constexpr std::size_t kKemTextBytes = 1088;
inline constexpr std::size_t kKemSecretBytes = 32;
using KemSecret = std::array<std::uint8_t, kKemSecretBytes>;

// Found out by asking for it. Whoever has it may call the rest, which throw CryptoFailure elsewhere.
bool has_kem();

class KemKeyPair {
 public:
  static KemKeyPair generate();
  const std::array<std::uint8_t, kKemPublicBytes>& shared() const { return shared_; }
  // The secret in a ciphertext. A forged one has one that nobody else knows (section 6.3).
  void open(std::span<const std::uint8_t, kKemTextBytes> text, KemSecret& secret) const;

 private:
  explicit KemKeyPair(Key key) : key_(std::move(key)) {}
  Key key_;
  std::array<std::uint8_t, kKemPublicBytes> shared_;
};

// False: `shared` is no encapsulation key (section 7.2).
bool encapsulate(std::span<const std::uint8_t, kKemPublicBytes> shared, std::uint8_t* text, KemSecret& secret);

}  // namespace pyisolate::seal
