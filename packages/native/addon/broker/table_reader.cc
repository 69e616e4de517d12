// From bytes to a table. The supervisor's own compiler made them, yet nothing is believed: embedders hand them on.
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "table.h"

namespace pyisolate::broker {
namespace {

constexpr std::uint32_t kMagic = 0x54425950;  // "PYBT"
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 64;
constexpr std::uint16_t kLogOnly = 1;
constexpr std::uint32_t kMostRecords = 1u << 20;
constexpr std::uint32_t kMostContractPaths = 64;
constexpr std::uint32_t kMostInstructions = 1u << 16;

}  // namespace

class Table::Reader {
 public:
  Reader(Table& table, std::string& problem) : table_(table), bytes_(table.bytes_), problem_(problem) {}

  bool read() {
    if (bytes_.size() < kHeaderBytes) return fail("shorter than a header");
    if (word(0) != kMagic || half(4) != kVersion) return fail("not a broker table of version 1");
    if (word(8) != bytes_.size()) return fail("not as long as it says");
    table_.log_only_ = (half(6) & kLogOnly) != 0;
    if (!within(word(52), word(56))) return fail("texts outside");
    texts_ = std::string_view(reinterpret_cast<const char*>(bytes_.data()) + word(52), word(56));
    return section(12, 16, [&](std::size_t at) { return file(at, table_.files_); }) &&
           section(20, 40, [&](std::size_t at) { return net(at); }) &&
           section(28, 16, [&](std::size_t at) { return file(at, table_.unixes_); }) &&
           section(36, 12, [&](std::size_t at) { return name(at); }) &&
           section(44, 16, [&](std::size_t at) { return view(at); }) && sorted() && contracts();
  }

 private:
  template <typename One>
  bool section(std::size_t header, std::size_t record_bytes, One&& one) {
    const std::uint32_t count = word(header);
    const std::uint32_t offset = word(header + 4);
    if (count == 0) return true;
    if (count > kMostRecords || !within(offset, count * record_bytes)) return fail("records outside");
    for (std::uint32_t i = 0; i < count; ++i) {
      if (!one(offset + i * record_bytes)) return fail("a record with a field out of range");
    }
    return true;
  }
  bool file(std::size_t at, std::vector<File>& to) {
    std::string_view path;
    if (!text(word(at), half(at + 4), path)) return false;
    to.push_back({path, bytes_[at + 6], bytes_[at + 7], word(at + 8)});
    return true;
  }
  bool net(std::size_t at) {
    Net net{};
    net.ops = bytes_[at], net.flags = bytes_[at + 1], net.protocol = bytes_[at + 2], net.family = bytes_[at + 3];
    net.prefix = bytes_[at + 4], net.from = half(at + 8), net.to = half(at + 10), net.rule = word(at + 36);
    std::memcpy(net.address.data(), bytes_.data() + at + 12, net.address.size());
    if (net.protocol != IPPROTO_TCP && net.protocol != IPPROTO_UDP) return false;
    if (net.family != 0 && net.family != 4 && net.family != 6) return false;
    if (net.prefix > (net.family == 4 ? 32 : 128) || net.from > net.to) return false;
    if (!text(word(at + 28), half(at + 32), net.name)) return false;
    table_.nets_.push_back(net);
    return true;
  }
  bool name(std::size_t at) {
    Name name{};
    if (!text(word(at), half(at + 4), name.name)) return false;
    name.rule = word(at + 8);
    table_.names_.push_back(name);
    return true;
  }
  bool view(std::size_t at) {
    View view;
    if (!text(word(at), half(at + 4), view.guest) || !text(word(at + 8), half(at + 12), view.host)) return false;
    if (!view.guest.starts_with('/') || !view.host.starts_with('/')) return false;
    table_.views_.push_back(view);
    return true;
  }
  // Behind the table: see contract-section.ts of @pyisolate/policy.
  bool contracts() {
    const std::uint32_t start = word(60);
    if (start == 0) return true;
    if (start % 8 != 0 || !within(start, 8)) return fail("contracts outside");
    const std::uint32_t paths = word(start);
    const std::uint32_t programs = word(start + 4);
    if (paths > kMostContractPaths || programs > kHooks || !within(start + 8, paths * 8 + programs * 16))
      return fail("contracts outside");
    for (std::uint32_t i = 0; i < paths; ++i) {
      const std::size_t at = start + 8 + i * 8;
      if (!within(word(at), half(at + 4))) return fail("a contract's path outside");
      const auto* text = reinterpret_cast<const char*>(bytes_.data()) + word(at);
      table_.contract_paths_.push_back({{text, half(at + 4)}, 0, bytes_[at + 6], 0});
    }
    for (std::uint32_t i = 0; i < programs; ++i) {
      const std::size_t at = start + 8 + paths * 8 + i * 16;
      const std::uint32_t hook = word(at), offset = word(at + 4), count = word(at + 8);
      if (hook >= kHooks || count > kMostInstructions || !within(offset, count * sizeof(BpfInstruction)))
        return fail("a contract's program outside");
      auto& program = table_.programs_[hook];
      program.resize(count);
      std::memcpy(program.data(), bytes_.data() + offset, count * sizeof(BpfInstruction));
    }
    return true;
  }
  bool sorted() {
    const auto& files = table_.files_;
    if (std::is_sorted(files.begin(), files.end(), [](const File& a, const File& b) { return a.path < b.path; }))
      return true;
    return fail("files out of order");
  }

  bool text(std::uint32_t offset, std::uint16_t length, std::string_view& out) const {
    const std::uint32_t start = word(52);  // of the texts, which are named from the table's first byte on
    if (offset < start || offset - start > texts_.size() || length > texts_.size() - (offset - start)) return false;
    out = texts_.substr(offset - start, length);
    return true;
  }
  bool within(std::uint32_t offset, std::size_t length) const {
    return offset <= bytes_.size() && length <= bytes_.size() - offset;
  }
  std::uint32_t word(std::size_t at) const { return load<std::uint32_t>(at); }
  std::uint16_t half(std::size_t at) const { return load<std::uint16_t>(at); }
  template <typename T>
  T load(std::size_t at) const {
    T value;
    std::memcpy(&value, bytes_.data() + at, sizeof value);
    return value;
  }
  bool fail(const char* what) {
    if (problem_.empty()) problem_ = what;
    return false;
  }

  Table& table_;
  const std::vector<std::uint8_t>& bytes_;
  std::string& problem_;
  std::string_view texts_;
};

std::shared_ptr<const Table> Table::read(std::span<const std::uint8_t> bytes, std::string& problem) {
  auto table = std::make_shared<Table>();
  table->bytes_.assign(bytes.begin(), bytes.end());
  return Reader(*table, problem).read() ? table : nullptr;
}

}  // namespace pyisolate::broker
