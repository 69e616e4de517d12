// Ephemeral X25519 key pairs (RFC 7748) by OpenSSL.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "seal/algorithms.h"

namespace pyisolate::seal {

inline constexpr std::size_t kPointBytes = 32;
using Point = std::array<std::uint8_t, kPointBytes>;

class KeyPair {
 public:
  // A fresh one, from the kernel's random numbers. Throws CryptoFailure.
  static KeyPair generate();
  static KeyPair from(const Point& secret);

  const Point& shared() const { return public_; }
  // The secret shared with the owner of `theirs`. False: it is all zeros, which anybody would have. By one thread at a
  // time. Throws CryptoFailure.
  bool agree(std::span<const std::uint8_t, kPointBytes> theirs, Point& secret) const;

 private:
  KeyPair(KeyContext own, Key peer, const Point& shared)
      : own_(std::move(own)), peer_(std::move(peer)), public_(shared) {}

  KeyContext own_;  // holds the secret, and is ready to derive: what libcrypto looks up for that is looked up ahead
  Key peer_;        // takes the point of the peer when that is known
  Point public_;
};

}  // namespace pyisolate::seal
