// What crosses a sealed ring: records, each a length (four bytes, little-endian), that many sealed bytes and their tag.
// The counters are here, begin at zero and only go up: a record that is missing, comes twice, out of order, or from the
// other direction opens as little as one with a flipped bit. A frame begins with a record of its own.
#pragma once

#include <array>
#include <atomic>
#include <optional>
#include <vector>

#include "ring.h"
#include "seal/noise.h"

namespace pyisolate::seal {

inline constexpr std::size_t kRecordHeaderBytes = 4;
inline constexpr std::size_t kRecordOverhead = kRecordHeaderBytes + kTagBytes;

// Unsealed bytes in one record at most: a few of the longest fit in a ring.
inline constexpr std::size_t longest_text(std::size_t ring_bytes) {
  return std::min<std::size_t>(16384, ring_bytes / 4);
}
// What a frame's bytes take in a ring, sealed.
inline constexpr std::size_t sealed_bytes(std::size_t bytes, std::size_t ring_bytes) {
  const std::size_t longest = longest_text(ring_bytes);
  return bytes + (bytes + longest - 1) / longest * kRecordOverhead;
}

// Says for which segment a handshake is.
inline std::array<std::uint8_t, 24> prologue(std::uint32_t ring_bytes) {
  std::array<std::uint8_t, 24> made{'p', 'y', 'i', 's', 'o', 'l', 'a', 't', 'e', ' ',
                                    's', 'e', 'g', 'm', 'e', 'n', 't', ' ', '1'};
  for (int i = 0; i < 4; ++i) made[20 + i] = static_cast<std::uint8_t>(ring_bytes >> 8 * i);
  return made;
}

class Sealer {
 public:
  // `sealed`: in the segment, a count of this side's records from zero on.
  Sealer(std::span<const std::uint8_t, kKeyBytes> key, std::size_t ring_bytes, std::atomic<std::uint64_t>& sealed)
      : cipher_(Cipher::Use::seal, key), longest_(longest_text(ring_bytes)), sealed_(&sealed) {}

  std::size_t longest() const { return longest_; }
  // The record of `head` and `rest` together, at most longest() bytes and at least one. Good until the next call.
  // Throws KeyRestored, CryptoFailure: then nothing was sealed, and nothing may be sent any more.
  Bytes seal(Bytes head, Bytes rest);

 private:
  Cipher cipher_;
  std::size_t longest_;
  std::atomic<std::uint64_t>* sealed_;
  std::uint64_t counter_ = 0;         // once more beside the key: both, and the segment's, agree
  std::vector<std::uint8_t> record_;  // never in shared memory unsealed
};

class Opener {
 public:
  Opener(std::span<const std::uint8_t, kKeyBytes> key, std::size_t ring_bytes)
      : cipher_(Cipher::Use::open, key), longest_(longest_text(ring_bytes)) {}

  // Bytes that are opened and not taken yet.
  std::size_t ready() const { return text_bytes_ - taken_; }
  void take(std::uint8_t* to, std::size_t count);
  // Opens the next record if it is whole. Null, or what is wrong with it: then nothing more comes from here.
  // Only when nothing is ready().
  const char* advance(RingReader& ring);

 private:
  Cipher cipher_;
  std::size_t longest_;
  std::uint64_t counter_ = 0;
  std::array<std::uint8_t, kRecordHeaderBytes> header_{};
  std::size_t header_bytes_ = 0;
  std::vector<std::uint8_t> record_;  // a copy: what lies in the ring may change while it is looked at
  std::size_t text_bytes_ = 0;
  std::size_t taken_ = 0;
};

}  // namespace pyisolate::seal
