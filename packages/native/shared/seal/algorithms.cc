#include "seal/algorithms.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

namespace pyisolate::seal {

const Algorithms& Algorithms::get() {
  static const Algorithms made = [] {
    Algorithms all{};
    all.library = OSSL_LIB_CTX_new();
    need(all.library != nullptr, "OSSL_LIB_CTX_new");
    all.chacha20_poly1305 = EVP_CIPHER_fetch(all.library, "ChaCha20-Poly1305", nullptr);
    need(all.chacha20_poly1305 != nullptr, "libcrypto has no ChaCha20-Poly1305");
    all.sha256 = EVP_MD_fetch(all.library, "SHA2-256", nullptr);
    need(all.sha256 != nullptr, "libcrypto has no SHA-256");
    all.ml_kem_768 = EVP_KEM_fetch(all.library, "ML-KEM-768", nullptr);
    if (all.ml_kem_768 == nullptr) ERR_clear_error();
    return all;
  }();
  return made;
}

}  // namespace pyisolate::seal
