#include "table.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace pyisolate::broker {
namespace {

constexpr std::uint8_t kSubtree = 1;
constexpr std::uint8_t kDeny = 2;
constexpr std::uint8_t kAbstract = 4;

// Gathers the fitting rules: of denials, else of permissions, the lowest number decides.
class Verdict {
 public:
  void fits(bool deny, std::uint32_t rule) {
    auto& lowest = deny ? deny_ : allow_;
    lowest = std::min(lowest, rule);
  }
  Decision decide() const {
    if (deny_ != kNoRule) return {false, deny_};
    return {allow_ != kNoRule, allow_};
  }

 private:
  std::uint32_t deny_ = kNoRule;
  std::uint32_t allow_ = kNoRule;
};

bool below(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

bool in_network(const std::array<std::uint8_t, 16>& address, const std::array<std::uint8_t, 16>& network,
                unsigned bits) {
  if (std::memcmp(address.data(), network.data(), bits / 8) != 0) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || ((address[bits / 8] ^ network[bits / 8]) >> (8 - rest)) == 0;
}

// `*` covers every name, `*.example.org` every one below it, but not itself.
bool covers_name(std::string_view pattern, std::string_view name) {
  if (pattern == "*" || pattern == name) return true;
  return pattern.starts_with("*.") && name.size() > pattern.size() - 1 && name.ends_with(pattern.substr(1));
}

bool fits_ports(std::uint16_t port, std::uint16_t from, std::uint16_t to, bool deny) {
  if (port == 0) return deny || (from == 1 && to == 65535);  // the kernel will choose any
  return port >= from && port <= to;
}

bool is_procfs(std::string_view path) { return path == "/proc" || below(path, "/proc"); }

}  // namespace

Decision Table::file(std::string_view path, FileOp op) const {
  if (is_procfs(path)) return {};
  Verdict verdict;
  const auto by_path = [](const File& file, std::string_view at) { return file.path < at; };
  for (std::string_view at = path;; at = at.substr(0, at.rfind('/'))) {
    auto file = std::lower_bound(files_.begin(), files_.end(), at, by_path);
    for (; file != files_.end() && file->path == at; ++file) {
      if ((file->ops & op) != 0 && (at.size() == path.size() || (file->flags & kSubtree) != 0))
        verdict.fits((file->flags & kDeny) != 0, file->rule);
    }
    if (at.empty()) return verdict.decide();
  }
}

bool Table::visible(std::string_view path) const {
  if (is_procfs(path)) return false;
  const Decision read = file(path, kRead);
  if (read.allowed || file(path, kWrite).allowed) return true;
  if (read.rule != kNoRule) return false;  // denied by a rule of its own
  const std::string prefix = std::string(path) + '/';
  auto at = std::lower_bound(files_.begin(), files_.end(), prefix,
                             [](const File& file, std::string_view to) { return file.path < to; });
  for (; at != files_.end() && at->path.starts_with(prefix); ++at) {
    if ((at->flags & kDeny) == 0) return true;
  }
  return false;
}

bool Table::ruled_below(std::string_view path) const {
  return std::any_of(files_.begin(), files_.end(), [&](const File& file) { return below(file.path, path); }) ||
         std::any_of(unixes_.begin(), unixes_.end(),
                     [&](const File& file) { return (file.flags & kAbstract) == 0 && below(file.path, path); });
}

Decision Table::address(NetOp op, int protocol, const Address& peer, std::span<const std::string> names) const {
  Verdict verdict;
  for (const Net& net : nets_) {
    const bool deny = (net.flags & kDeny) != 0;
    if ((net.ops & op) == 0 || net.protocol != protocol || !fits_ports(peer.port, net.from, net.to, deny)) continue;
    const bool fits = net.family == 0
                          ? std::any_of(names.begin(), names.end(),
                                        [&](const std::string& name) { return covers_name(net.name, name); })
                          : net.family == peer.family && in_network(peer.bytes, net.address, net.prefix);
    if (fits) verdict.fits(deny, net.rule);
  }
  return verdict.decide();
}

Decision Table::unix_socket(NetOp op, std::string_view path, bool abstract) const {
  if (!abstract && is_procfs(path)) return {};
  Verdict verdict;
  for (const File& rule : unixes_) {
    if ((rule.ops & op) == 0 || ((rule.flags & kAbstract) != 0) != abstract) continue;
    const bool fits = rule.path == path || (!abstract && (rule.flags & kSubtree) != 0 && below(path, rule.path));
    if (fits) verdict.fits((rule.flags & kDeny) != 0, rule.rule);
  }
  return verdict.decide();
}

Decision Table::name(std::string_view name) const {
  Verdict verdict;
  for (const Name& rule : names_) {
    if (covers_name(rule.name, name)) verdict.fits(false, rule.rule);
  }
  return verdict.decide();
}

std::uint64_t Table::contract_bits(std::string_view path) const {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < contract_paths_.size(); ++i) {
    const File& one = contract_paths_[i];
    if (one.path == path || ((one.flags & kSubtree) != 0 && below(path, one.path))) bits |= std::uint64_t{1} << i;
  }
  return bits;
}

bool Table::any_socket(int protocol) const {
  const auto allows = [](const auto& rule) { return (rule.flags & kDeny) == 0; };
  if (protocol == 0) return std::any_of(unixes_.begin(), unixes_.end(), allows);
  return std::any_of(nets_.begin(), nets_.end(),
                     [&](const Net& net) { return allows(net) && net.protocol == protocol; });
}

std::string Table::to_host(std::string_view guest) const {
  for (const View& view : views_) {
    if (guest == view.guest || below(guest, view.guest))
      return std::string(view.host).append(guest.substr(view.guest.size()));
  }
  return std::string(guest);
}

std::string Table::to_guest(std::string_view host) const {
  for (const View& view : views_) {
    if (host == view.host || below(host, view.host))
      return std::string(view.guest).append(host.substr(view.host.size()));
  }
  for (const View& view : views_) {
    if (host == view.guest || below(host, view.guest)) return "/proc";  // behind a view: as unreachable as procfs
  }
  return host == "/" ? std::string() : std::string(host);
}

}  // namespace pyisolate::broker
