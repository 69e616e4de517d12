#include "seal/kem.h"

#include <openssl/core_names.h>

namespace pyisolate::seal {
namespace {

constexpr char kName[] = "ML-KEM-768";

OSSL_LIB_CTX* library() {
  need(has_kem(), "libcrypto has no ML-KEM-768 (OpenSSL 3.5 has)");
  return Algorithms::get().library;
}

}  // namespace

bool has_kem() { return Algorithms::get().ml_kem_768 != nullptr; }

KemKeyPair KemKeyPair::generate() {
  const KeyContext context(EVP_PKEY_CTX_new_from_name(library(), kName, nullptr));
  need(context != nullptr && EVP_PKEY_keygen_init(context.get()) == 1, "EVP_PKEY_keygen_init");
  EVP_PKEY* raw = nullptr;
  need(EVP_PKEY_keygen(context.get(), &raw) == 1, "EVP_PKEY_keygen");
  KemKeyPair made{Key(raw)};
  std::size_t length = 0;
  need(EVP_PKEY_get_octet_string_param(raw, OSSL_PKEY_PARAM_PUB_KEY, made.shared_.data(), made.shared_.size(),
                                       &length) == 1 &&
           length == made.shared_.size(),
       "EVP_PKEY_get_octet_string_param");
  return made;
}

void KemKeyPair::open(std::span<const std::uint8_t, kKemTextBytes> text, KemSecret& secret) const {
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(library(), key_.get(), nullptr));
  need(context != nullptr && EVP_PKEY_decapsulate_init(context.get(), nullptr) == 1, "EVP_PKEY_decapsulate_init");
  std::size_t length = secret.size();
  need(EVP_PKEY_decapsulate(context.get(), secret.data(), &length, text.data(), text.size()) == 1 &&
           length == secret.size(),
       "EVP_PKEY_decapsulate");
}

bool encapsulate(std::span<const std::uint8_t, kKemPublicBytes> shared, std::uint8_t* text, KemSecret& secret) {
  // The import checks it.
  const Key key(EVP_PKEY_new_raw_public_key_ex(library(), kName, nullptr, shared.data(), shared.size()));
  if (!key) return false;
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(library(), key.get(), nullptr));
  need(context != nullptr && EVP_PKEY_encapsulate_init(context.get(), nullptr) == 1, "EVP_PKEY_encapsulate_init");
  std::size_t length = kKemTextBytes, secret_length = secret.size();
  need(EVP_PKEY_encapsulate(context.get(), text, &length, secret.data(), &secret_length) == 1 &&
           length == kKemTextBytes && secret_length == secret.size(),
       "EVP_PKEY_encapsulate");
  return true;
}

}  // namespace pyisolate::seal
