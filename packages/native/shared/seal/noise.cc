#include "seal/noise.h"

#include <openssl/crypto.h>

#include <cstring>
#include <initializer_list>

namespace pyisolate::seal {
namespace {

using Hash = std::array<std::uint8_t, 32>;
constexpr std::size_t kBlockBytes = 64;  // of SHA-256
constexpr char kName[] = "Noise_NN_25519_ChaChaPoly_SHA256";
static_assert(sizeof kName - 1 == sizeof(Hash));  // or it would have to be hashed (section 5.2)

// The symmetric state of section 5.2, as far as NN needs it.
class State {
 public:
  explicit State(Bytes prologue) : context_(EVP_MD_CTX_new()) {
    need(context_ != nullptr, "EVP_MD_CTX_new");
    std::memcpy(hash_.data(), kName, hash_.size());
    chain_ = hash_;
    mix_hash(prologue);
  }
  ~State() {
    OPENSSL_cleanse(chain_.data(), chain_.size());
    OPENSSL_cleanse(key_.data(), key_.size());
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void mix_hash(Bytes data) { hash_ = sha256(hash_, {data}); }
  void mix_key(Point& secret) {
    expand(secret, chain_, key_);
    OPENSSL_cleanse(secret.data(), secret.size());
  }
  // An empty payload under the first counter, with the hash so far beside it: a tag.
  void seal_nothing(std::uint8_t* tag) {
    Cipher(Cipher::Use::seal, key_).seal(Nonce::of(0), hash_, {}, tag);
    mix_hash({tag, kTagBytes});
  }
  bool open_nothing(Bytes tag) {
    const bool authentic = Cipher(Cipher::Use::open, key_).open(Nonce::of(0), hash_, tag, nullptr);
    mix_hash(tag);
    return authentic;
  }
  void split(SessionKeys& session) { expand({}, session.to_responder, session.to_initiator); }

 private:
  Hash sha256(Bytes before, std::initializer_list<Bytes> parts) {
    Hash made;
    need(EVP_DigestInit_ex2(context_.get(), Algorithms::get().sha256, nullptr) == 1, "EVP_DigestInit");
    need(EVP_DigestUpdate(context_.get(), before.data(), before.size()) == 1, "EVP_DigestUpdate");
    for (const Bytes& part : parts) {
      need(EVP_DigestUpdate(context_.get(), part.data(), part.size()) == 1, "EVP_DigestUpdate");
    }
    need(EVP_DigestFinal_ex(context_.get(), made.data(), nullptr) == 1, "EVP_DigestFinal");
    return made;
  }

  // RFC 2104; keys here are never longer than a block.
  Hash hmac(Bytes key, std::initializer_list<Bytes> parts) {
    std::uint8_t inner[kBlockBytes] = {}, outer[kBlockBytes] = {};
    std::memcpy(inner, key.data(), key.size());
    std::memcpy(outer, key.data(), key.size());
    for (std::size_t i = 0; i < kBlockBytes; ++i) inner[i] ^= 0x36, outer[i] ^= 0x5c;
    Hash digest = sha256(inner, parts);
    const Hash made = sha256(outer, {digest});
    OPENSSL_cleanse(inner, sizeof inner);
    OPENSSL_cleanse(outer, sizeof outer);
    OPENSSL_cleanse(digest.data(), digest.size());
    return made;
  }

  // HKDF of section 4.3 with two outputs; the first may be the chaining key itself.
  void expand(Bytes input, Hash& first, Hash& second) {
    static constexpr std::uint8_t kOne = 1, kTwo = 2;
    Hash temporary = hmac(chain_, {input});
    first = hmac(temporary, {{&kOne, 1}});
    second = hmac(temporary, {first, {&kTwo, 1}});
    OPENSSL_cleanse(temporary.data(), temporary.size());
  }

  DigestContext context_;
  Hash hash_;
  Hash chain_;
  Hash key_{};
};

}  // namespace

SessionKeys::~SessionKeys() {
  OPENSSL_cleanse(to_responder.data(), to_responder.size());
  OPENSSL_cleanse(to_initiator.data(), to_initiator.size());
}

bool Initiator::finish(std::span<const std::uint8_t, kAnswerBytes> answer, SessionKeys& session) const {
  const auto theirs = answer.first<kPointBytes>();
  State state(prologue_);
  state.mix_hash(keys_.shared());
  state.mix_hash({});  // the hello's payload
  state.mix_hash(theirs);
  Point secret;
  if (!keys_.agree(theirs, secret)) return false;
  state.mix_key(secret);
  if (!state.open_nothing(answer.last<kTagBytes>())) return false;
  state.split(session);
  return true;
}

bool respond(const KeyPair& keys, Bytes prologue, std::span<const std::uint8_t, kHelloBytes> hello, Answer& answer,
             SessionKeys& session) {
  State state(prologue);
  state.mix_hash(hello);
  state.mix_hash({});
  std::memcpy(answer.data(), keys.shared().data(), kPointBytes);
  state.mix_hash(keys.shared());
  Point secret;
  if (!keys.agree(hello, secret)) return false;
  state.mix_key(secret);
  state.seal_nothing(answer.data() + kPointBytes);
  state.split(session);
  return true;
}

void warm_up() {
  const Initiator initiator(KeyPair::generate(), {});
  Answer answer;
  SessionKeys ours, theirs;
  need(respond(KeyPair::generate(), {}, initiator.hello(), answer, theirs) && initiator.finish(answer, ours) &&
           ours.to_responder == theirs.to_responder,
       "a handshake with oneself");
}

}  // namespace pyisolate::seal
