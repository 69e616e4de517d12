#include "typed_array.h"

#include <cstring>

namespace pyisolate {
namespace {

// RFC 8746, 2.1: little-endian tags.
constexpr TypedArray kUnsigned[] = {{64, 'B', 1}, {69, 'H', 2}, {70, 'I', 4}, {71, 'Q', 8}};
constexpr TypedArray kSigned[] = {{72, 'b', 1}, {77, 'h', 2}, {78, 'i', 4}, {79, 'q', 8}};
constexpr TypedArray kFloat[] = {{85, 'f', 4}, {86, 'd', 8}};

template <std::size_t N, typename Matches>
const TypedArray* find(const TypedArray (&kinds)[N], Matches matches) {
  for (const TypedArray& kind : kinds) {
    if (matches(kind)) return &kind;
  }
  return nullptr;
}

}  // namespace

const TypedArray* typed_array_of_format(const char* format, std::ptrdiff_t item_bytes) {
  if (*format == '@' || *format == '=' || *format == '<') ++format;
  if (format[0] == '\0' || format[1] != '\0') return nullptr;
  const auto same_size = [&](const TypedArray& kind) {
    return kind.item_bytes == static_cast<std::size_t>(item_bytes);
  };
  if (std::strchr("BHILQ", *format) != nullptr) return find(kUnsigned, same_size);
  if (std::strchr("bhilq", *format) != nullptr) return find(kSigned, same_size);
  if (std::strchr("fd", *format) != nullptr) return find(kFloat, same_size);
  return nullptr;
}

const TypedArray* typed_array_of_tag(std::uint64_t tag) {
  const auto same_tag = [&](const TypedArray& kind) { return kind.tag == tag; };
  if (const TypedArray* kind = find(kUnsigned, same_tag)) return kind;
  if (const TypedArray* kind = find(kSigned, same_tag)) return kind;
  return find(kFloat, same_tag);
}

}  // namespace pyisolate
