// What is used of OpenSSL's libcrypto, fetched once for the process: fetching takes locks and memory, using doesn't.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

namespace pyisolate::seal {

// libcrypto refused what it never should: out of memory, or a build of it that lacks an algorithm.
class CryptoFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The memory that a key or its counter is in was brought back to an earlier time: what would be sealed now might be
// under a nonce that something was sealed under already.
class KeyRestored : public CryptoFailure {
 public:
  KeyRestored() : CryptoFailure("the memory of a key was brought back to an earlier time") {}
};

inline void need(bool ok, const char* what) {
  if (!ok) throw CryptoFailure(what);
}

struct Algorithms {
  OSSL_LIB_CTX* library;
  EVP_CIPHER* chacha20_poly1305;
  EVP_MD* sha256;
  EVP_KEM* ml_kem_768;  // null before OpenSSL 3.5

  // In a library context of their own: no configuration file or engine of the process, or of a guest's `ssl` module,
  // changes what they are. Never freed: other threads may outlive whoever would do it. Throws CryptoFailure.
  static const Algorithms& get();
};

template <typename T, void (*destroy)(T*)>
struct Free {
  void operator()(T* object) const { destroy(object); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Free<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX, EVP_MD_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;

}  // namespace pyisolate::seal
