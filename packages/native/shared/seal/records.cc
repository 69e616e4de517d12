#include "seal/records.h"

#include <cstring>

namespace pyisolate::seal {

Bytes Sealer::seal(Bytes head, Bytes rest) {
  const std::size_t length = head.size() + rest.size();
  need(length > 0 && length <= longest_ && counter_ != UINT64_MAX, "a record of that length, or one more of them");
  const std::size_t sealed = length + kTagBytes;
  if (record_.size() < kRecordHeaderBytes + sealed) record_.resize(kRecordHeaderBytes + sealed);
  for (std::size_t i = 0; i < kRecordHeaderBytes; ++i) record_[i] = static_cast<std::uint8_t>(sealed >> 8 * i);
  std::uint8_t* text = record_.data() + kRecordHeaderBytes;
  if (!head.empty()) std::memcpy(text, head.data(), head.size());
  if (!rest.empty()) std::memcpy(text + head.size(), rest.data(), rest.size());
  const std::uint64_t counter = counter_;
  std::uint64_t expected = counter;
  if (cipher_.counter() != counter || !sealed_->compare_exchange_strong(expected, counter + 1)) throw KeyRestored();
  cipher_.counter() = ++counter_;
  cipher_.seal(Nonce::of(counter), {}, {text, length}, text);
  return {record_.data(), kRecordHeaderBytes + sealed};
}

void Opener::take(std::uint8_t* to, std::size_t count) {
  if (count > 0) std::memcpy(to, record_.data() + taken_, count);
  taken_ += count;
}

const char* Opener::advance(RingReader& ring) {
  static constexpr const char* kCorrupt = "impossible write position";
  RingStatus status = RingStatus::ok;
  if (header_bytes_ < header_.size()) {
    header_bytes_ += ring.read(header_.data() + header_bytes_, header_.size() - header_bytes_, status);
    if (status != RingStatus::ok) return kCorrupt;
    if (header_bytes_ < header_.size()) return nullptr;
  }
  std::size_t sealed = 0;
  for (std::size_t i = header_.size(); i-- > 0;) sealed = sealed << 8 | header_[i];
  if (sealed <= kTagBytes || sealed > longest_ + kTagBytes) return "a sealed record of an impossible length";
  const std::size_t here = ring.waiting(status);
  if (status != RingStatus::ok) return kCorrupt;
  if (here < sealed) return nullptr;
  if (record_.size() < sealed) record_.resize(sealed);
  if (ring.read(record_.data(), sealed, status) != sealed || status != RingStatus::ok) return kCorrupt;
  header_bytes_ = 0;
  text_bytes_ = taken_ = 0;
  if (counter_ == UINT64_MAX || !cipher_.open(Nonce::of(counter_++), {}, {record_.data(), sealed}, record_.data()))
    return "a record that is not authentic";
  text_bytes_ = sealed - kTagBytes;
  return nullptr;
}

}  // namespace pyisolate::seal
