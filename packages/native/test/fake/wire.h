// The sealed rings once more, written apart from seal/records.h, and what a hostile hand could do to them.
#pragma once

#include <optional>
#include <string>

#include "seal/noise.h"

namespace pyisolate::fake {

class Wire {
 public:
  // Answers a hello; `how` names what is wrong with the answer, and is empty where nothing is.
  std::string answer(const std::string& hello, std::uint32_t ring_bytes, const std::string& how);

  bool sealed() const { return to_host_.has_value(); }
  std::size_t longest() const { return longest_; }

  // Records: four bytes that say how many follow, little-endian, and those.
  std::string seal(const std::string& text);
  // Nothing: not authentic.
  std::optional<std::string> open(const std::string& sealed);

  // The records of two texts, done to as `how` says; an empty string where nobody knows how.
  std::string tamper(const std::string& how, const std::string& first, const std::string& second,
                     const std::string& received);

 private:
  std::optional<seal::Cipher> to_host_, to_cell_;
  std::uint64_t sealed_ = 0, opened_ = 0;
  std::size_t longest_ = 0;
};

}  // namespace pyisolate::fake
