#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contract_machine.h"

namespace pyisolate::broker {

// What a rule is about. Bits, as a table has them.
enum FileOp : std::uint8_t { kRead = 1, kWrite = 2, kExec = 4 };
enum NetOp : std::uint8_t { kConnect = 1, kBind = 2, kSendTo = 4 };

// When contracts are judged.
enum class Hook : std::uint8_t { open, exec, unlink, rename, mkdir, connect, bind, send_to };
inline constexpr std::size_t kHooks = 8;

inline constexpr std::uint32_t kNoRule = 0xffffffff;

// The rule that decided; none fits: denied, kNoRule.
struct Decision {
  bool allowed = false;
  std::uint32_t rule = kNoRule;
};

// An IPv4 or IPv6 peer; an IPv4 address that is mapped into IPv6 (RFC 4291, 2.5.5.2) is IPv4.
struct Address {
  std::uint8_t family = 0;  // 4 or 6
  std::uint16_t port = 0;   // host order; 0: any, to bind
  std::array<std::uint8_t, 16> bytes{};

  bool same_host(const Address& other) const { return family == other.family && bytes == other.bytes; }
};

// A compiled policy as the broker reads it: bytes of @pyisolate/policy (its README has the layout), checked once and
// immutable from then on. Paths are absolute and normal, but the root folder, which is the empty text.
class Table {
 public:
  // Null, with `problem`, for bytes that aren't a table.
  static std::shared_ptr<const Table> read(std::span<const std::uint8_t> bytes, std::string& problem);

  bool log_only() const { return log_only_; }
  Decision file(std::string_view path, FileOp op) const;
  // Whether its existence may be known: it can be read or written, or leads to something that a rule allows.
  bool visible(std::string_view path) const;
  // Whether a rule is about something below it, so that to move it would move that out from under its rule.
  bool ruled_below(std::string_view path) const;

  // `protocol`: IPPROTO_TCP or IPPROTO_UDP. `names`: those that the guest resolved to this address.
  Decision address(NetOp op, int protocol, const Address& peer, std::span<const std::string> names) const;
  Decision unix_socket(NetOp op, std::string_view path, bool abstract) const;
  Decision name(std::string_view name) const;
  // Whether anything is allowed on such a socket; `protocol` 0 means Unix sockets.
  bool any_socket(int protocol) const;

  // What contracts there are for something: none, or one program. Hooks are numbered as in the policy's compiler.
  std::span<const BpfInstruction> contracts(Hook hook) const { return programs_[static_cast<std::size_t>(hook)]; }
  // Bit i: the i-th path that contracts name fits.
  std::uint64_t contract_bits(std::string_view path) const;

  // Where a guest's path lies on this side, and back. Back is empty for what a view hides.
  std::string to_host(std::string_view guest) const;
  std::string to_guest(std::string_view host) const;

 private:
  struct File {
    std::string_view path;
    std::uint8_t ops, flags;
    std::uint32_t rule;
  };
  struct Net {
    std::uint8_t ops, flags, protocol, family, prefix;
    std::uint16_t from, to;
    std::array<std::uint8_t, 16> address;
    std::string_view name;
    std::uint32_t rule;
  };
  struct Name {
    std::string_view name;
    std::uint32_t rule;
  };
  struct View {
    std::string_view guest, host;
  };
  class Reader;

  std::vector<std::uint8_t> bytes_;
  bool log_only_ = false;
  std::vector<File> files_;  // sorted by path
  std::vector<File> unixes_;
  std::vector<Net> nets_;
  std::vector<Name> names_;
  std::vector<View> views_;
  std::vector<File> contract_paths_;
  std::array<std::vector<BpfInstruction>, kHooks> programs_;
};

}  // namespace pyisolate::broker
