// Noise_NN_25519_ChaChaPoly_SHA256 (Noise Protocol Framework, revision 34): both sides bring a fresh key pair, and the
// answer proves who sent it to have read the hello. Payloads are empty.
#pragma once

#include <vector>

#include "seal/aead.h"
#include "seal/x25519.h"

namespace pyisolate::seal {

inline constexpr std::size_t kHelloBytes = kPointBytes;               // -> e
inline constexpr std::size_t kAnswerBytes = kPointBytes + kTagBytes;  // <- e, ee
using Hello = Point;
using Answer = std::array<std::uint8_t, kAnswerBytes>;

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
  Initiator(KeyPair keys, Bytes prologue) : keys_(std::move(keys)), prologue_(prologue.begin(), prologue.end()) {}
  const Hello& hello() const { return keys_.shared(); }
  // False: the answer isn't one to this hello.
  bool finish(std::span<const std::uint8_t, kAnswerBytes> answer, SessionKeys& session) const;

 private:
  KeyPair keys_;
  std::vector<std::uint8_t> prologue_;
};

// The responder's. False: the hello leads to a secret that anybody would have.
bool respond(const KeyPair& keys, Bytes prologue, std::span<const std::uint8_t, kHelloBytes> hello, Answer& answer,
             SessionKeys& session);

// A handshake, and a record, with oneself: what libcrypto makes lazily is there afterwards. Throws CryptoFailure.
void warm_up();

}  // namespace pyisolate::seal
