#include "cbor_reader.h"

#include <bit>
#include <cmath>

namespace pyisolate {

using cbor::Major;

bool CborReader::head(Head& head) {
  if (fault_ != nullptr) return false;
  if (remaining() == 0) return fail("it ends too early");
  const std::uint8_t initial = bytes_[offset_];
  head.major = static_cast<Major>(initial >> 5);
  head.info = initial & 0x1f;
  if (head.info < 24) {
    head.value = head.info;
    ++offset_;
    return true;
  }
  if (head.info == 31) return fail("indefinite lengths aren't used here");
  if (head.info > 27) return fail("reserved length encoding");
  const std::size_t size = std::size_t{1} << (head.info - 24);
  if (remaining() - 1 < size) return fail("it ends too early");
  std::uint64_t value = 0;
  for (std::size_t i = 1; i <= size; ++i) value = value << 8 | bytes_[offset_ + i];
  if (head.major == Major::simple && head.info == 24 && value < 32) {
    return fail("badly encoded simple value");  // RFC 8949, 3.3
  }
  head.value = value;
  offset_ += 1 + size;
  return true;
}

bool CborReader::payload(std::uint64_t size, std::span<const std::uint8_t>& out) {
  if (size > remaining()) return fail("it ends too early");
  out = bytes_.subspan(offset_, static_cast<std::size_t>(size));
  offset_ += static_cast<std::size_t>(size);
  return true;
}

bool CborReader::expect(Major major, Head& out, const char* what) {
  return head(out) && (out.major == major || fail(what));
}

bool CborReader::map(std::uint64_t& pairs) {
  Head h;
  if (!expect(Major::map, h, "a map was expected")) return false;
  pairs = h.value;
  return pairs <= remaining() / 2 || fail("it ends too early");
}

bool CborReader::array(std::uint64_t& count) {
  Head h;
  if (!expect(Major::array, h, "an array was expected")) return false;
  count = h.value;
  return count <= remaining() || fail("it ends too early");
}

bool CborReader::text(std::string_view& out) {
  Head h;
  std::span<const std::uint8_t> content;
  if (!expect(Major::text, h, "text was expected") || !payload(h.value, content)) return false;
  out = {reinterpret_cast<const char*>(content.data()), content.size()};
  return true;
}

bool CborReader::bytes(std::span<const std::uint8_t>& out) {
  Head h;
  return expect(Major::bytes, h, "bytes were expected") && payload(h.value, out);
}

bool CborReader::integer(std::int64_t& out) {
  Head h;
  if (!head(h)) return false;
  if (h.major != Major::unsigned_int && h.major != Major::negative_int) {
    return fail("an integer was expected");
  }
  if (h.value > static_cast<std::uint64_t>(INT64_MAX)) return fail("integer out of range");
  const auto value = static_cast<std::int64_t>(h.value);
  out = h.major == Major::unsigned_int ? value : -1 - value;
  return true;
}

bool CborReader::number(double& out) {
  Head h;
  if (!head(h)) return false;
  if (is_float(h)) {
    out = float_of(h);
  } else if (h.major == Major::unsigned_int) {
    out = static_cast<double>(h.value);
  } else if (h.major == Major::negative_int) {
    out = -1.0 - static_cast<double>(h.value);
  } else {
    return fail("a number was expected");
  }
  return true;
}

bool CborReader::boolean(bool& out) {
  Head h;
  if (!head(h)) return false;
  out = h.value == cbor::kTrue;
  const bool known = h.major == Major::simple && (out || h.value == cbor::kFalse);
  return (known && h.info < 24) || fail("true or false was expected");
}

bool CborReader::skip(std::uint32_t depth) {
  Head h;
  std::span<const std::uint8_t> content;
  do {
    if (!head(h)) return false;
  } while (h.major == Major::tag);
  switch (h.major) {
    case Major::bytes:
    case Major::text: return payload(h.value, content);
    case Major::array:
    case Major::map: {
      const std::uint64_t each = h.major == Major::map ? 2 : 1;
      if (depth == 0) return fail("nested too deep");
      if (h.value > remaining() / each) return fail("it ends too early");
      for (std::uint64_t i = 0; i < h.value * each; ++i) {
        if (!skip(depth - 1)) return false;
      }
      return true;
    }
    default: return true;
  }
}

double CborReader::float_of(const Head& head) {
  if (head.info == cbor::kFloat64) return std::bit_cast<double>(head.value);
  if (head.info == cbor::kFloat32) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(head.value));
  }
  // RFC 8949, appendix D.
  const int exponent = static_cast<int>(head.value >> 10 & 0x1f);
  const int mantissa = static_cast<int>(head.value & 0x3ff);
  double value = 0;
  if (exponent == 0) {
    value = std::ldexp(mantissa, -24);
  } else if (exponent != 31) {
    value = std::ldexp(mantissa + 1024, exponent - 25);
  } else {
    value = mantissa == 0 ? HUGE_VAL : std::nan("");
  }
  return (head.value & 0x8000) != 0 ? -value : value;
}

}  // namespace pyisolate
