#include "wire.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace pyisolate::fake {
namespace {

const std::uint8_t* bytes(const std::string& text) { return reinterpret_cast<const std::uint8_t*>(text.data()); }
std::uint8_t* bytes(std::string& text) { return reinterpret_cast<std::uint8_t*>(text.data()); }

std::string with_length(const std::string& sealed, std::uint32_t length) {
  std::string record;
  for (int shift = 0; shift < 32; shift += 8) record += static_cast<char>(length >> shift & 0xff);
  return record + sealed;
}

}  // namespace

std::string Wire::answer(const std::string& hello, std::uint32_t ring_bytes, const std::string& how) {
  if (how == "hello-silent")
    for (;;) ::pause();
  std::vector<std::uint8_t> made;
  seal::SessionKeys session;
  std::string prologue = "pyisolate segment 1";
  prologue.resize(20);
  for (int shift = 0; shift < 32; shift += 8) prologue += static_cast<char>(ring_bytes >> shift & 0xff);
  if (how == "hello-elsewhere") prologue[23] ^= 1;  // as for a segment of another size
  const seal::Bytes whole(bytes(hello), hello.size());
  const auto form = hello.size() == seal::kPointBytes ? seal::Form::plain : seal::Form::hybrid;
  if (!seal::respond(form, seal::KeyPair::generate(), {bytes(prologue), prologue.size()}, whole, made, session))
    ::_exit(91);
  to_host_.emplace(seal::Cipher::Use::seal, session.to_initiator);
  to_cell_.emplace(seal::Cipher::Use::open, session.to_responder);
  longest_ = std::min<std::size_t>(16384, ring_bytes / 4);
  if (how == "hello-forged") made.back() ^= 1;
  if (how == "hello-zero") std::memset(made.data(), 0, seal::kPointBytes);
  if (how == "hello-kem") made[seal::kPointBytes] ^= 1;
  if (how == "hello-plain") return std::string(made.size(), 'x');  // as much as the answer has, of whatever else
  return {reinterpret_cast<const char*>(made.data()), made.size()};
}

std::string Wire::seal(const std::string& text) {
  std::string sealed(text.size() + seal::kTagBytes, '\0');
  to_host_->seal(seal::Nonce::of(sealed_++), {}, {bytes(text), text.size()}, bytes(sealed));
  return with_length(sealed, static_cast<std::uint32_t>(sealed.size()));
}

std::optional<std::string> Wire::open(const std::string& sealed) {
  std::string text(sealed.size() - seal::kTagBytes, '\0');
  if (!to_cell_->open(seal::Nonce::of(opened_++), {}, {bytes(sealed), sealed.size()}, bytes(text))) return std::nullopt;
  return text;
}

std::string Wire::tamper(const std::string& how, const std::string& first, const std::string& second,
                         const std::string& received) {
  if (how == "tamper-plain") return first;  // a frame as it is, in a ring that is sealed
  if (how == "tamper-endless") return with_length("", 0x7fffffff);
  if (how == "tamper-empty") return with_length(std::string(16, 'x'), 16);
  if (how == "tamper-reflect") return received;
  if (how == "tamper-stub") return seal(first.substr(0, 5));
  if (how == "tamper-trail") return seal(first + "more");
  const std::string one = seal(first), two = seal(second);
  if (how == "tamper-text") return std::string(one).replace(6, 1, 1, static_cast<char>(one[6] ^ 4));
  if (how == "tamper-tag") return std::string(one).replace(one.size() - 1, 1, 1, static_cast<char>(one.back() ^ 128));
  if (how == "tamper-length") return with_length(one.substr(4), static_cast<std::uint32_t>(one.size() - 4 - 1)) + two;
  if (how == "tamper-truncate") return one.substr(0, one.size() - 3) + two;
  if (how == "tamper-replay") return one + one;
  if (how == "tamper-swap") return two + one;
  if (how == "tamper-drop") return two;
  if (how == "tamper-none") return one + two;
  return {};
}

}  // namespace pyisolate::fake
