// What the broker reads of others - notified calls, tables, contracts - thrown at it in an executable of its own, which
// is built with sanitizers: a read out of bounds ends it. Prints the seed that repeats a failure.
//   fuzz MILLISECONDS SEED TABLE…
#include <sys/syscall.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

#include "../address.h"
#include "../contract_machine.h"
#include "../request.h"
#include "../table.h"

namespace {

using namespace pyisolate::broker;
using Random = std::mt19937_64;
using Bytes = std::vector<std::uint8_t>;

std::uint64_t below(Random& random, std::uint64_t bound) { return random() % bound; }

void require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::abort();
}

// Bytes from a page on, in an allocation that ends where they end.
class Guest final : public Memory {
 public:
  static constexpr std::uint64_t kBase = 4096;
  explicit Guest(const Bytes& bytes) : bytes_(bytes) {}
  bool read(std::uint64_t from, void* to, std::size_t count) override {
    if (count == 0) return true;
    if (from < kBase || from - kBase > bytes_.size() || count > bytes_.size() - (from - kBase)) return false;
    std::memcpy(to, bytes_.data() + (from - kBase), count);
    return true;
  }
  bool write(std::uint64_t, const void*, std::size_t) override { return true; }

 private:
  const Bytes& bytes_;
};

constexpr int kCalls[] = {
    SYS_openat,    SYS_newfstatat, SYS_statx,    SYS_statfs,    SYS_faccessat, SYS_faccessat2, SYS_readlinkat,
    SYS_chdir,     SYS_fchdir,     SYS_getcwd,   SYS_mkdirat,   SYS_unlinkat,  SYS_renameat2,  SYS_linkat,
    SYS_symlinkat, SYS_truncate,   SYS_fchmodat, SYS_utimensat, SYS_socket,    SYS_connect,    SYS_bind,
    SYS_listen,    SYS_sendto,     SYS_sendmsg,  SYS_sendmsg,   SYS_getpid,
#ifdef __x86_64__
    SYS_open,      SYS_creat,      SYS_stat,     SYS_lstat,     SYS_access,    SYS_readlink,   SYS_mkdir,
    SYS_rmdir,     SYS_unlink,     SYS_rename,   SYS_link,      SYS_symlink,   SYS_chmod,
#endif
};

void decode_calls(Random& random) {
  Bytes memory(below(random, 6000));
  for (auto& byte : memory) byte = below(random, 8) == 0 ? 0 : static_cast<std::uint8_t>(random());
  const auto pointer = [&] { return Guest::kBase + below(random, memory.size() + 64); };
  // Messages are pointers within pointers, and lengths of pieces.
  for (int i = 0; i < 20 && memory.size() >= 64; i++) {
    const std::uint64_t word = below(random, 2) == 0   ? pointer()
                               : below(random, 5) == 0 ? random()
                                                       : below(random, 70000);
    std::memcpy(memory.data() + below(random, memory.size() / 8) * 8 / 8, &word, sizeof word);
  }
  Guest guest(memory);
  for (int i = 0; i < 50; i++) {
    seccomp_data call{};
    call.nr = kCalls[below(random, std::size(kCalls))];
    for (auto& argument : call.args) {
      const auto kind = below(random, 5);
      argument = kind < 2 ? pointer() : kind == 2 ? random() : kind == 3 ? below(random, 1 << 19) : 0;
    }
    Request request{};
    const int error = decode(call, guest, request);
    require(error >= 0 && error < 4096, "an errno");
    if (error != 0) continue;
    require(request.path.size() < 4096 && request.path2.size() < 4096, "paths that a path can be");
    require(request.path.find('\0') == std::string::npos, "a path without NUL");
    require(request.data.size() <= kMostData, "data within bounds");
    require(request.peer_bytes <= sizeof request.peer, "a peer within bounds");
    (void)read_address(request.peer, request.peer_bytes);
  }
}

void use(const Table& table, Random& random) {
  const auto path = [&] {
    std::string text;
    for (auto parts = below(random, 4); parts > 0; parts--)
      text += "/" + std::string(1, static_cast<char>('a' + below(random, 4)));
    return text;
  };
  Address peer;
  peer.family = below(random, 2) == 0 ? 4 : 6;
  peer.port = static_cast<std::uint16_t>(random());
  for (auto& byte : peer.bytes) byte = static_cast<std::uint8_t>(random());
  const std::vector<std::string> names{"example.org", "a.example.org"};
  for (int i = 0; i < 5; i++) {
    for (const FileOp op : {kRead, kWrite, kExec}) (void)table.file(path(), op);
    (void)table.visible(path());
    (void)table.ruled_below(path());
    (void)table.contract_bits(path());
    (void)table.to_guest(table.to_host(path()));
    for (const NetOp op : {kConnect, kBind, kSendTo}) {
      (void)table.address(op, 6, peer, names);
      (void)table.unix_socket(op, path(), below(random, 2) == 0);
    }
    (void)table.name("x.example.org");
  }
  ContractTask task{};
  for (std::size_t hook = 0; hook < kHooks; hook++) {
    const auto program = table.contracts(static_cast<Hook>(hook));
    if (!program.empty()) (void)run_contracts(program, task);
  }
}

void read_tables(Random& random, const std::vector<Bytes>& tables) {
  Bytes bytes = tables[below(random, tables.size())];
  for (auto times = below(random, 6); times > 0 && !bytes.empty(); times--) {
    const auto at = below(random, bytes.size());
    switch (below(random, 4)) {
      case 0: bytes[at] = static_cast<std::uint8_t>(random()); break;
      case 1: bytes[at] ^= static_cast<std::uint8_t>(1u << below(random, 8)); break;
      case 2: bytes.resize(at); break;
      default:
        if (at + 4 <= bytes.size()) {
          const std::uint32_t word =
              below(random, 2) == 0 ? 0xffffffff : static_cast<std::uint32_t>(below(random, 4096));
          std::memcpy(bytes.data() + at / 4 * 4, &word, std::min<std::size_t>(4, bytes.size() - at / 4 * 4));
        }
    }
  }
  bytes.shrink_to_fit();
  std::string problem;
  const auto table = Table::read(bytes, problem);
  require((table == nullptr) == !problem.empty(), "either a table or a problem");
  if (table != nullptr) use(*table, random);
}

void run_programs(Random& random) {
  std::vector<BpfInstruction> program(1 + below(random, 40));
  for (auto& one : program) {
    const auto word = random();
    std::memcpy(&one, &word, sizeof one);
    // Mostly what a machine knows, and near enough to be reached.
    if (below(random, 4) != 0) {
      constexpr std::uint8_t codes[] = {0xb7, 0xbf, 0x0f, 0x07, 0x1f, 0x2f, 0x3f, 0x9f, 0x57, 0x77, 0x79, 0x71, 0x7b,
                                        0x15, 0x1d, 0x25, 0x05, 0x18, 0x85, 0x95, 0x61, 0x69, 0x73, 0x63, 0xdc, 0xd4};
      one.code = codes[below(random, std::size(codes))];
      one.registers = static_cast<std::uint8_t>(below(random, 12) | below(random, 12) << 4);
      one.offset = static_cast<std::int16_t>(below(random, 160)) - 20;
    }
  }
  ContractTask task{};
  task.opens = random();
  (void)run_contracts(program, task);
}

Bytes contents(const char* file) {
  std::ifstream stream(file, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(stream), {});
}

std::uint64_t current = 0;

void tell_seed() { std::fprintf(stderr, "PYISOLATE_FUZZ_SEED=%llu\n", static_cast<unsigned long long>(current)); }

}  // namespace

// Sanitizers call it before they end the program.
extern "C" void __asan_on_error() { tell_seed(); }

int main(int count, char** arguments) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(std::atoll(arguments[1]));
  const std::uint64_t first = std::strtoull(arguments[2], nullptr, 10);
  std::vector<Bytes> tables;
  for (int i = 3; i < count; i++) tables.push_back(contents(arguments[i]));
  std::uint64_t rounds = 0;
  for (; rounds == 0 || std::chrono::steady_clock::now() < end; rounds++) {
    current = first + rounds;
    Random random(current);
    try {
      decode_calls(random);
      read_tables(random, tables);
      run_programs(random);
    } catch (...) {
      tell_seed();
      throw;
    }
  }
  std::printf("%llu rounds\n", static_cast<unsigned long long>(rounds));
}
