#include "seal/x25519.h"

#include <openssl/crypto.h>
#include <sys/random.h>

#include <cerrno>

namespace pyisolate::seal {

KeyPair KeyPair::generate() {
  Point secret;
  std::size_t filled = 0;
  while (filled < secret.size()) {
    const ssize_t got = getrandom(secret.data() + filled, secret.size() - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    need(got > 0, "getrandom");
    filled += static_cast<std::size_t>(got);
  }
  KeyPair made = from(secret);
  OPENSSL_cleanse(secret.data(), secret.size());
  return made;
}

KeyPair KeyPair::from(const Point& secret) {
  OSSL_LIB_CTX* library = Algorithms::get().library;
  Key key(EVP_PKEY_new_raw_private_key_ex(library, "X25519", nullptr, secret.data(), secret.size()));
  need(key != nullptr, "libcrypto has no X25519");
  Point shared;
  std::size_t length = shared.size();
  need(EVP_PKEY_get_raw_public_key(key.get(), shared.data(), &length) == 1 && length == shared.size(),
       "EVP_PKEY_get_raw_public_key");
  Key peer(EVP_PKEY_new_raw_public_key_ex(library, "X25519", nullptr, shared.data(), shared.size()));
  need(peer != nullptr, "EVP_PKEY_new_raw_public_key");
  KeyContext own(EVP_PKEY_CTX_new_from_pkey(library, key.get(), nullptr));
  need(own != nullptr && EVP_PKEY_derive_init(own.get()) == 1, "EVP_PKEY_derive_init");
  return {std::move(own), std::move(peer), shared};
}

bool KeyPair::agree(std::span<const std::uint8_t, kPointBytes> theirs, Point& secret) const {
  need(EVP_PKEY_set1_encoded_public_key(peer_.get(), theirs.data(), theirs.size()) == 1,
       "EVP_PKEY_set1_encoded_public_key");
  // Looking whether the peer's key is one at all would be a second multiplication: any 32 bytes are (RFC 7748, section
  // 5).
  need(EVP_PKEY_derive_set_peer_ex(own_.get(), peer_.get(), 0) == 1, "EVP_PKEY_derive_set_peer");
  std::size_t length = secret.size();
  if (EVP_PKEY_derive(own_.get(), secret.data(), &length) != 1) return false;  // all zeros, section 6.1
  std::uint8_t any = 0;
  for (const std::uint8_t byte : secret) any |= byte;
  return length == secret.size() && any != 0;
}

}  // namespace pyisolate::seal
