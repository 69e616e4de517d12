#include "aead/js_aead.h"

#include <cstring>

#include "js_barrier.h"

namespace pyisolate {
namespace {

using seal::Bytes;
using seal::kTagBytes;
using seal::Nonce;

// Where an argument's bytes are. Good until JavaScript runs again.
std::span<std::uint8_t> need_bytes(napi_env env, napi_value value, const char* what) {
  napi_typedarray_type type{};
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array)
    throw Napi::TypeError::New(env, std::string(what) + " must be a Uint8Array");
  return {static_cast<std::uint8_t*>(data), length};
}

[[noreturn]] void out_of_range(napi_env env, const char* what) { throw Napi::RangeError::New(env, what); }

Nonce need_nonce(napi_env env, napi_value value) {
  const auto bytes = need_bytes(env, value, "nonce");
  if (bytes.size() != seal::kNonceBytes) out_of_range(env, "a nonce has 12 bytes");
  Nonce nonce;
  std::memcpy(nonce.bytes, bytes.data(), sizeof nonce.bytes);
  return nonce;
}

// EVP takes one place for both, or two that share nothing.
bool overlap(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  return !a.empty() && !b.empty() && a.data() != b.data() && a.data() < b.data() + b.size() &&
         b.data() < a.data() + a.size();
}

// The texts of a batch. What the table says is read once, when it is used: it may lie in shared memory.
class Batch {
 public:
  explicit Batch(const Napi::CallbackInfo& info) : env_(info.Env()), buffer_(need_bytes(env_, info[1], "buffer")) {
    napi_typedarray_type type{};
    std::size_t length = 0;
    void* data = nullptr;
    if (napi_get_typedarray_info(env_, info[2], &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != napi_uint32_array)
      throw Napi::TypeError::New(env_, "spans must be a Uint32Array");
    spans_ = static_cast<const volatile std::uint32_t*>(data);
    count_ = need_uint32(info[3], "count", 0, UINT32_MAX);
    if (count_ > length / 2) out_of_range(env_, "spans are fewer than count");
  }

  std::uint32_t count() const { return count_; }

  std::span<std::uint8_t> text(std::uint32_t at) const {
    const std::size_t offset = spans_[std::size_t{2} * at];
    const std::size_t length = spans_[std::size_t{2} * at + 1];
    if (offset > buffer_.size() || length > buffer_.size() - offset)
      out_of_range(env_, "a span ends outside of its buffer");
    return buffer_.subspan(offset, length);
  }

 private:
  napi_env env_;
  std::span<std::uint8_t> buffer_;
  const volatile std::uint32_t* spans_ = nullptr;
  std::uint32_t count_ = 0;
};

std::span<std::uint8_t> need_room_for_tag(napi_env env, std::span<std::uint8_t> text) {
  if (text.size() < kTagBytes || text.size() > seal::kMostBytes)
    out_of_range(env, "a span without room for a tag, or too long");
  return text;
}

void need_counters(napi_env env, CountedKey& key, const Nonce& first, std::uint64_t count) {
  if (!guarded(env, [&] { return key.take(first, count); }))
    out_of_range(env, "this key has sealed under that counter, or a later one, before");
}

}  // namespace

void JsAeadKey::define(Napi::Env env, Napi::Object exports) {
  exports.Set(
      "AeadKeyHandle",
      DefineClass(env, "AeadKeyHandle",
                  {InstanceMethod<&JsAeadKey::seal>("seal"), InstanceMethod<&JsAeadKey::open>("open"),
                   InstanceMethod<&JsAeadKey::seal_many>("sealMany"), InstanceMethod<&JsAeadKey::open_many>("openMany"),
                   InstanceMethod<&JsAeadKey::wipe>("wipe")}));
}

JsAeadKey::JsAeadKey(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const auto key = need_bytes(info.Env(), info[0], "key");
  if (key.size() != seal::kKeyBytes) out_of_range(info.Env(), "a key has 32 bytes");
  guarded(info.Env(), [&] { key_.emplace(key.first<seal::kKeyBytes>()); });
}

CountedKey& JsAeadKey::live(const Napi::Env& env) {
  if (!key_) throw Napi::Error::New(env, "the key is wiped");
  return *key_;
}

void JsAeadKey::seal(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  auto& key = live(info.Env());
  const auto nonce = need_nonce(env, info[0]);
  const auto associated = need_bytes(env, info[1], "associated data");
  const auto plain = need_bytes(env, info[2], "plaintext");
  const auto out = need_bytes(env, info[3], "output");
  if (plain.size() > seal::kMostBytes || associated.size() > seal::kMostBytes) out_of_range(env, "a text that long");
  if (out.size() != plain.size() + kTagBytes) out_of_range(env, "output must be 16 bytes longer than the plaintext");
  if (overlap(plain, out)) out_of_range(env, "output must begin with the plaintext, or lie apart from it");
  need_counters(env, key, nonce, 1);
  guarded(env, [&] {
    const seal::Cipher::Work work(key.sealing());
    key.sealing().seal(nonce, associated, plain, out.data());
  });
}

Napi::Value JsAeadKey::open(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  auto& key = live(info.Env());
  const auto nonce = need_nonce(env, info[0]);
  const auto associated = need_bytes(env, info[1], "associated data");
  const auto sealed = need_bytes(env, info[2], "sealed");
  const auto out = need_bytes(env, info[3], "output");
  if (sealed.size() < kTagBytes) return Napi::Boolean::New(env, false);
  if (sealed.size() > seal::kMostBytes || associated.size() > seal::kMostBytes) out_of_range(env, "a text that long");
  if (out.size() != sealed.size() - kTagBytes) out_of_range(env, "output must be 16 bytes shorter than what is sealed");
  if (overlap(sealed, out)) out_of_range(env, "output must be the beginning of what is sealed, or lie apart from it");
  const bool authentic = guarded(env, [&] {
    const seal::Cipher::Work work(key.opening());
    return key.opening().open(nonce, associated, sealed, out.data());
  });
  return Napi::Boolean::New(env, authentic);
}

void JsAeadKey::seal_many(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  auto& key = live(info.Env());
  const auto first = need_nonce(env, info[0]);
  const Batch batch(info);
  // All of them before the first: a table with a mistake changes nothing, and takes no counter.
  for (std::uint32_t at = 0; at < batch.count(); ++at) need_room_for_tag(env, batch.text(at));
  need_counters(env, key, first, batch.count());
  Nonce nonce = first;
  guarded(env, [&] {
    const seal::Cipher::Work work(key.sealing());
    for (std::uint32_t at = 0; at < batch.count(); ++at) {
      const auto text = need_room_for_tag(env, batch.text(at));
      nonce.count(first.counter() + at);
      key.sealing().seal(nonce, {}, text.first(text.size() - kTagBytes), text.data());
    }
  });
}

Napi::Value JsAeadKey::open_many(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  auto& key = live(info.Env());
  const auto first = need_nonce(env, info[0]);
  const Batch batch(info);
  for (std::uint32_t at = 0; at < batch.count(); ++at) batch.text(at);
  if (batch.count() > 0 && first.counter() + (batch.count() - 1) < first.counter())
    out_of_range(env, "the counters end beyond 2^64 - 1");
  Nonce nonce = first;
  const auto opened = guarded(env, [&] {
    const seal::Cipher::Work work(key.opening());
    for (std::uint32_t at = 0; at < batch.count(); ++at) {
      const auto text = batch.text(at);
      nonce.count(first.counter() + at);
      if (text.size() > seal::kMostBytes || !key.opening().open(nonce, {}, text, text.data())) return at;
    }
    return batch.count();
  });
  return Napi::Number::New(env, opened);
}

}  // namespace pyisolate
