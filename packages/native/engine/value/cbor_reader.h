// Reads CBOR from bytes nobody vouches for; knows nothing of Python and allocates nothing.
//
// Every call answers false once something is wrong; fault() then says what and offset() where.
// The typed calls suit maps of a known shape; skip() steps over what isn't known.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "cbor.h"

namespace pyisolate {

class CborReader {
 public:
  struct Head {
    cbor::Major major;
    std::uint8_t info;    // the low five bits of the initial byte
    std::uint64_t value;  // argument; for floats its bits
  };

  explicit CborReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  bool head(Head& head);
  bool payload(std::uint64_t size, std::span<const std::uint8_t>& out);

  bool map(std::uint64_t& pairs);
  bool array(std::uint64_t& count);
  bool text(std::string_view& out);  // not checked to be UTF-8
  bool bytes(std::span<const std::uint8_t>& out);
  bool integer(std::int64_t& out);
  bool number(double& out);  // an integer, or a float of any width
  bool boolean(bool& out);
  bool skip(std::uint32_t depth = 64);  // at most so many containers inside each other

  // Looks at the next item without reading it.
  bool at_null() const { return offset_ < bytes_.size() && bytes_[offset_] == (0xe0 | cbor::kNull); }

  std::size_t offset() const { return offset_; }
  std::size_t remaining() const { return bytes_.size() - offset_; }
  const char* fault() const { return fault_; }
  bool fail(const char* what) {
    if (fault_ == nullptr) fault_ = what;
    return false;
  }

  // The double that a float head stands for.
  static double float_of(const Head& head);
  static bool is_float(const Head& head) { return head.major == cbor::Major::simple && head.info >= cbor::kFloat16; }

 private:
  bool expect(cbor::Major major, Head& head, const char* what);

  std::span<const std::uint8_t> bytes_;
  std::size_t offset_ = 0;
  const char* fault_ = nullptr;
};

}  // namespace pyisolate
