#include "seal/aead.h"

#include <openssl/crypto.h>

#include <cstring>
#include <utility>

namespace pyisolate::seal {

namespace {
constexpr std::uint8_t kNoKey[kKeyBytes] = {};
}

Cipher::Cipher(Use use, std::span<const std::uint8_t, kKeyBytes> key)
    : use_(use), secret_(key), context_(EVP_CIPHER_CTX_new()) {
  need(context_ != nullptr, "EVP_CIPHER_CTX_new");
  const EVP_CIPHER* cipher = Algorithms::get().chacha20_poly1305;
  need(EVP_CipherInit_ex2(context_.get(), cipher, nullptr, nullptr, use == Use::seal, nullptr) == 1, "EVP_CipherInit");
}

const std::uint8_t* Cipher::missing_key() {
  if (std::exchange(keyed_, true)) return nullptr;
  return secret_.key();
}

// Setting 32 bytes can't fail where it didn't before; if it does, the process ends, rather than keep a key about.
void Cipher::forget_key() {
  keyed_ = false;
  need(EVP_CipherInit_ex2(context_.get(), nullptr, kNoKey, nullptr, use_ == Use::seal, nullptr) == 1, "EVP_CipherInit");
}

void Cipher::seal(const Nonce& nonce, Bytes associated, Bytes plain, std::uint8_t* out) {
  EVP_CIPHER_CTX* context = context_.get();
  int written = 0;
  need(plain.size() <= kMostBytes && associated.size() <= kMostBytes, "a text that long");
  need(EVP_EncryptInit_ex2(context, nullptr, missing_key(), nonce.bytes, nullptr) == 1, "EVP_EncryptInit");
  if (!associated.empty()) {
    const auto size = static_cast<int>(associated.size());
    need(EVP_EncryptUpdate(context, nullptr, &written, associated.data(), size) == 1, "EVP_EncryptUpdate");
  }
  if (!plain.empty()) {
    const auto size = static_cast<int>(plain.size());
    need(EVP_EncryptUpdate(context, out, &written, plain.data(), size) == 1 && written == size, "EVP_EncryptUpdate");
  }
  std::uint8_t* tag = out + plain.size();
  need(EVP_EncryptFinal_ex(context, tag, &written) == 1, "EVP_EncryptFinal");
  need(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag) == 1, "EVP_CTRL_AEAD_GET_TAG");
}

bool Cipher::open(const Nonce& nonce, Bytes associated, Bytes sealed, std::uint8_t* out) {
  if (sealed.size() < kTagBytes) return false;
  EVP_CIPHER_CTX* context = context_.get();
  int written = 0;
  need(sealed.size() <= kMostBytes && associated.size() <= kMostBytes, "a text that long");
  const std::size_t length = sealed.size() - kTagBytes;
  std::uint8_t tag[kTagBytes];
  std::memcpy(tag, sealed.data() + length, kTagBytes);
  need(EVP_DecryptInit_ex2(context, nullptr, missing_key(), nonce.bytes, nullptr) == 1, "EVP_DecryptInit");
  need(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag) == 1, "EVP_CTRL_AEAD_SET_TAG");
  if (!associated.empty()) {
    const auto size = static_cast<int>(associated.size());
    need(EVP_DecryptUpdate(context, nullptr, &written, associated.data(), size) == 1, "EVP_DecryptUpdate");
  }
  if (length > 0) {
    const auto size = static_cast<int>(length);
    need(EVP_DecryptUpdate(context, out, &written, sealed.data(), size) == 1 && written == size, "EVP_DecryptUpdate");
  }
  if (EVP_DecryptFinal_ex(context, tag, &written) == 1) return true;
  OPENSSL_cleanse(out, length);
  return false;
}

}  // namespace pyisolate::seal
