// Noise_NN_25519_ChaChaPoly_SHA256 (Noise Protocol Framework, revision 34): both sides bring a fresh key pair, and the
// answer proves who sent it to have read the hello. Payloads are empty. And the hybrid form of it,
// Noise_NNhfs_25519+MLKEM768_ChaChaPoly_SHA256 (KEM-based Hybrid Forward Secrecy for Noise, revision 1), whose keys
// depend on a secret of ML-KEM-768 as well.
#pragma once

#include <optional>
#include <vector>

#include "seal/aead.h"
#include "seal/kem.h"
#include "seal/x25519.h"

namespace pyisolate::seal {

// As a segment's header says it; 0 stands for rings that aren't sealed.
enum class Form : std::uint32_t { plain = 1, hybrid = 2 };

// -> e; -> e, e1
inline constexpr std::size_t hello_bytes(Form form) {
  return form == Form::plain ? kPointBytes : kPointBytes + kKemPublicBytes;
}
// <- e, ee; <- e, ee, ekem1
inline constexpr std::size_t answer_bytes(Form form) {
  return kPointBytes + kTagBytes + (form == Form::plain ? 0 : kKemTextBytes + kTagBytes);
}

// What the handshake ends with. Wiped when it goes.
struct SessionKeys {
  std::array<std::uint8_t, kKeyBytes> to_responder{};
  std::array<std::uint8_t, kKeyBytes> to_initiator{};
  SessionKeys() = default;
  SessionKeys(const SessionKeys&) = delete;
  SessionKeys& operator=(const SessionKeys&) = delete;
  ~SessionKeys();
};

// The initiator's side, between its hello and the answer. `prologue` is what both must have seen alike.
class Initiator {
 public:
  // Throws CryptoFailure for the hybrid form without ML-KEM.
  Initiator(Form form, KeyPair keys, Bytes prologue);
  Form form() const { return kem_ ? Form::hybrid : Form::plain; }
  const std::vector<std::uint8_t>& hello() const { return hello_; }
  // False: the answer isn't one to this hello.
  bool finish(Bytes answer, SessionKeys& session) const;

 private:
  KeyPair keys_;
  std::optional<KemKeyPair> kem_;
  std::vector<std::uint8_t> hello_;
  std::vector<std::uint8_t> prologue_;
};

// The responder's. False: the hello leads to a secret that anybody would have, or has another length. The same failure
// as above without ML-KEM.
bool respond(Form form, const KeyPair& keys, Bytes prologue, Bytes hello, std::vector<std::uint8_t>& answer,
             SessionKeys& session);

// A handshake, and a record, with oneself: what libcrypto makes lazily is there afterwards. Throws CryptoFailure.
void warm_up();

}  // namespace pyisolate::seal
