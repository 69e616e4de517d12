#include "transport/init_request.h"

#include "cbor_reader.h"

namespace pyisolate {
namespace {

bool read_limit(CborReader& reader, std::string_view key, InitRequest& out) {
  double value = 0;
  if (!reader.number(value)) return false;
  // A double that an integer can't hold must not be converted (it would be undefined).
  if (!(value >= 0 && value < 9.2e18)) return reader.fail("a limit out of range");
  const auto whole = static_cast<std::uint64_t>(value);
  if (key == "memory") out.limits.memory = whole;
  if (key == "cpuSeconds") out.limits.cpu_seconds = value;
  if (key == "threads") out.limits.threads = whole;
  if (key == "openFiles") out.limits.open_files = whole;
  if (key == "fileSize") out.limits.file_size = whole;
  if (key == "frame") out.budget.bytes = whole;
  if (key == "items") out.budget.items = whole;
  if (key == "depth") out.budget.depth = static_cast<std::uint32_t>(whole < UINT32_MAX ? whole : UINT32_MAX);
  return true;
}

bool read_limits(CborReader& reader, InitRequest& out) {
  std::uint64_t pairs = 0;
  if (!reader.map(pairs)) return false;
  for (std::uint64_t i = 0; i < pairs; ++i) {
    std::string_view key;
    if (!reader.text(key) || !read_limit(reader, key, out)) return false;
  }
  return true;
}

// A container left as it is: where it lies and how many entries it has.
template <class Begin>
bool note(CborReader& reader, std::span<const std::uint8_t> payload, Begin begin,
          std::span<const std::uint8_t>& content, std::uint64_t& count) {
  const std::size_t from = reader.offset();
  CborReader look = reader;
  if (!(look.*begin)(count)) return reader.fail(look.fault());
  if (!reader.skip(kMaxDepth)) return false;
  content = payload.subspan(from, reader.offset() - from);
  return true;
}

bool read_entry(CborReader& reader, std::span<const std::uint8_t> payload, InitRequest& out) {
  std::string_view key;
  if (!reader.text(key)) return false;
  if (key == "limits") return read_limits(reader, out);
  if (key == "inputs") return note(reader, payload, &CborReader::map, out.inputs, out.input_count);
  if (key == "functions") return note(reader, payload, &CborReader::array, out.functions, out.function_count);
  if (key == "settings") return note(reader, payload, &CborReader::map, out.settings, out.setting_count);
  return reader.skip();
}

}  // namespace

const char* read_init(std::span<const std::uint8_t> payload, InitRequest& out) {
  CborReader reader(payload);
  std::uint64_t pairs = 0;
  if (reader.map(pairs)) {
    for (std::uint64_t i = 0; i < pairs && read_entry(reader, payload, out); ++i) {
    }
    if (reader.fault() == nullptr && reader.remaining() > 0) reader.fail("bytes after the map");
  }
  return reader.fault();
}

}  // namespace pyisolate
