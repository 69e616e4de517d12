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
constexpr char kHybridName[] = "Noise_NNhfs_25519+MLKEM768_ChaChaPoly_SHA256";
static_assert(sizeof kHybridName - 1 > sizeof(Hash));

// The symmetric state of section 5.2, as far as NN needs it.
class State {
 public:
  State(Form form, Bytes prologue) : context_(EVP_MD_CTX_new()) {
    need(context_ != nullptr, "EVP_MD_CTX_new");
    const auto* hybrid = reinterpret_cast<const std::uint8_t*>(kHybridName);
    if (form == Form::plain) std::memcpy(hash_.data(), kName, hash_.size());
    if (form == Form::hybrid) hash_ = sha256({}, {{hybrid, sizeof kHybridName - 1}});
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
  void mix_key(std::span<std::uint8_t> secret) {
    expand(secret, chain_, key_);
    OPENSSL_cleanse(secret.data(), secret.size());
  }
  // Under the first counter of a key that nothing else is sealed with, with the hash so far beside it. In place: the
  // text, then its tag.
  void seal(std::span<std::uint8_t> whole) {
    Cipher(Cipher::Use::seal, key_).seal(Nonce::of(0), hash_, whole.first(whole.size() - kTagBytes), whole.data());
    mix_hash(whole);
  }
  bool open(Bytes sealed, std::uint8_t* text) {
    const bool authentic = Cipher(Cipher::Use::open, key_).open(Nonce::of(0), hash_, sealed, text);
    mix_hash(sealed);
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

// The hello's parts as the hash sees them: e, then e1, both in clear, and an empty payload.
void mix_hello(State& state, Bytes hello) {
  state.mix_hash(hello.first(kPointBytes));
  if (hello.size() > kPointBytes) state.mix_hash(hello.subspan(kPointBytes));
  state.mix_hash({});
}

}  // namespace

SessionKeys::~SessionKeys() {
  OPENSSL_cleanse(to_responder.data(), to_responder.size());
  OPENSSL_cleanse(to_initiator.data(), to_initiator.size());
}

Initiator::Initiator(Form form, KeyPair keys, Bytes prologue)
    : keys_(std::move(keys)),
      hello_(keys_.shared().begin(), keys_.shared().end()),
      prologue_(prologue.begin(), prologue.end()) {
  if (form == Form::plain) return;
  kem_.emplace(KemKeyPair::generate());
  hello_.insert(hello_.end(), kem_->shared().begin(), kem_->shared().end());
}

bool Initiator::finish(Bytes answer, SessionKeys& session) const {
  if (answer.size() != answer_bytes(form())) return false;
  const auto theirs = answer.first<kPointBytes>();
  State state(form(), prologue_);
  mix_hello(state, hello_);
  state.mix_hash(theirs);
  Point secret;
  if (!keys_.agree(theirs, secret)) return false;
  state.mix_key(secret);
  if (kem_) {
    std::array<std::uint8_t, kKemTextBytes> text;
    if (!state.open(answer.subspan(kPointBytes, kKemTextBytes + kTagBytes), text.data())) return false;
    KemSecret inner;
    kem_->open(text, inner);
    state.mix_key(inner);
  }
  if (!state.open(answer.last(kTagBytes), nullptr)) return false;
  state.split(session);
  return true;
}

bool respond(Form form, const KeyPair& keys, Bytes prologue, Bytes hello, std::vector<std::uint8_t>& answer,
             SessionKeys& session) {
  if (hello.size() != hello_bytes(form)) return false;
  State state(form, prologue);
  mix_hello(state, hello);
  answer.assign(keys.shared().begin(), keys.shared().end());
  answer.resize(answer_bytes(form));
  state.mix_hash(keys.shared());
  Point secret;
  if (!keys.agree(hello.first<kPointBytes>(), secret)) return false;
  state.mix_key(secret);
  if (form == Form::hybrid) {
    const auto sealed = std::span(answer).subspan(kPointBytes, kKemTextBytes + kTagBytes);
    KemSecret inner;
    if (!encapsulate(hello.last<kKemPublicBytes>(), sealed.data(), inner)) return false;
    state.seal(sealed);
    state.mix_key(inner);
  }
  state.seal(std::span(answer).last(kTagBytes));
  state.split(session);
  return true;
}

void warm_up() {
  for (const Form form : {Form::plain, Form::hybrid}) {
    if (form == Form::hybrid && !has_kem()) return;
    const Initiator initiator(form, KeyPair::generate(), {});
    std::vector<std::uint8_t> answer;
    SessionKeys ours, theirs;
    need(respond(form, KeyPair::generate(), {}, initiator.hello(), answer, theirs) && initiator.finish(answer, ours) &&
             ours.to_responder == theirs.to_responder,
         "a handshake with oneself");
  }
}

}  // namespace pyisolate::seal
