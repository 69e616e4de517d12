// ChaCha20-Poly1305 (RFC 8439) by OpenSSL's EVP: contexts that are keyed once, nothing allocated for a message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "seal/algorithms.h"
#include "seal/secret.h"

namespace pyisolate::seal {

inline constexpr std::size_t kNonceBytes = 12;
inline constexpr std::size_t kTagBytes = 16;
// EVP counts in int. Nothing here is nearly as long.
inline constexpr std::size_t kMostBytes = std::size_t{1} << 30;

using Bytes = std::span<const std::uint8_t>;

// Four zeros and the counter, little-endian (Noise, revision 34, section 12.3).
struct Nonce {
  std::uint8_t bytes[kNonceBytes];
  static Nonce of(std::uint64_t counter) {
    Nonce made{};
    made.count(counter);
    return made;
  }
  void count(std::uint64_t counter) {
    for (int i = 0; i < 8; ++i) bytes[4 + i] = static_cast<std::uint8_t>(counter >> (8 * i));
  }
  std::uint64_t counter() const {
    std::uint64_t value = 0;
    for (int i = 7; i >= 0; --i) value = value << 8 | bytes[4 + i];
    return value;
  }
};

// One key for one direction of EVP, whose context has the key from the first text on, or while there is some Work.
class Cipher {
 public:
  enum class Use { seal, open };
  Cipher(Use use, std::span<const std::uint8_t, kKeyBytes> key);

  // Around all that is done with a key that outlives its use by long: afterwards EVP's context has it no more.
  class Work {
   public:
    explicit Work(Cipher& cipher) : cipher_(cipher) {}
    ~Work() { cipher_.forget_key(); }
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;

   private:
    Cipher& cipher_;
  };

  // Writes the ciphertext and its tag, `plain.size() + kTagBytes` bytes; `out` may be where `plain` begins.
  void seal(const Nonce& nonce, Bytes associated, Bytes plain, std::uint8_t* out);
  // Writes the plaintext, `sealed.size() - kTagBytes` bytes; `out` may be where `sealed` begins. False: not authentic,
  // or too short to have a tag; what was written then is overwritten with zeros.
  bool open(const Nonce& nonce, Bytes associated, Bytes sealed, std::uint8_t* out);

  std::uint64_t& counter() { return secret_.counter(); }

 private:
  // The key, if the context hasn't got it: then it has from here on.
  const std::uint8_t* missing_key();
  void forget_key();

  Use use_;
  Secret secret_;
  CipherContext context_;
  bool keyed_ = false;
};

}  // namespace pyisolate::seal
