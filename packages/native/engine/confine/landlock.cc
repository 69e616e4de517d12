#include "confine/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace pyisolate {
namespace {

// linux/landlock.h of the build host may be older than the kernel: name what later versions added.
constexpr std::uint64_t kRefer = 1ull << 13;         // ABI 2
constexpr std::uint64_t kTruncate = 1ull << 14;      // ABI 3
constexpr std::uint64_t kIoctlDev = 1ull << 15;      // ABI 5
constexpr std::uint64_t kBindTcp = 1ull << 0;        // ABI 4
constexpr std::uint64_t kConnectTcp = 1ull << 1;     // ABI 4
constexpr std::uint64_t kScopeAbstract = 1ull << 0;  // ABI 6
constexpr std::uint64_t kScopeSignal = 1ull << 1;    // ABI 6

// What a rule on a file may allow (ACCESS_FILE in the kernel's security/landlock/fs.c).
constexpr std::uint64_t kOfFiles =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | kTruncate | kIoctlDev;

struct RulesetAttr {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};

bool allow(int ruleset, const char* path, std::uint64_t access) {
  const int fd = open(path, O_PATH | O_CLOEXEC);
  if (fd < 0) return false;
  const bool ok = allow_beneath(ruleset, fd, access);
  const int error = errno;
  close(fd);
  errno = error;
  return ok;
}

}  // namespace

int landlock_abi() {
  return static_cast<int>(syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION));
}

std::uint64_t ruled_access_fs(int abi) {
  std::uint64_t access = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;  // everything of ABI 1
  if (abi >= 2) access |= kRefer;
  if (abi >= 3) access |= kTruncate;
  if (abi >= 5) access |= kIoctlDev;
  return access;
}

std::uint64_t ruled_access_net(int abi) { return abi >= 4 ? kBindTcp | kConnectTcp : 0; }

int make_denying_ruleset(int abi) {
  RulesetAttr attr = {};
  attr.handled_access_fs = ruled_access_fs(abi);
  attr.handled_access_net = ruled_access_net(abi);
  if (abi >= 6) attr.scoped = kScopeAbstract | kScopeSignal;
  const std::size_t size = abi >= 6 ? sizeof attr : abi >= 4 ? 16 : 8;
  return static_cast<int>(syscall(SYS_landlock_create_ruleset, &attr, size, 0));
}

bool allow_beneath(int ruleset, int fd, std::uint64_t access) {
  struct stat info;
  if (fstat(fd, &info) != 0) return false;
  if (!S_ISDIR(info.st_mode)) access &= kOfFiles;
  struct landlock_path_beneath_attr rule = {};
  rule.allowed_access = access;
  rule.parent_fd = fd;
  return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

int make_ruleset(const std::vector<std::string>& readable, int null, int& abi) {
  abi = landlock_abi();
  if (abi < 1) return -1;
  const int ruleset = make_denying_ruleset(abi);
  if (ruleset < 0) return -1;
  bool ok = allow_beneath(ruleset, null, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
  for (const std::string& path : readable) {
    ok = ok && allow(ruleset, path.c_str(), LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
  }
  if (ok) return ruleset;
  const int error = errno;
  close(ruleset);
  errno = error;
  return -1;
}

void enter_landlock(int ruleset, int abi, int error, Report& report) {
  if (ruleset < 0) {
    report.missing("landlock", true, "create_ruleset", error);
    return;
  }
  if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) {
    report.missing("landlock", true, "restrict_self", errno);
    return;
  }
  std::string detail = "ABI " + std::to_string(abi) + ": files";
  if (abi >= 4) detail += ", TCP";
  if (abi >= 6) detail += ", abstract sockets, signals";
  report.active("landlock", true, std::move(detail));
}

}  // namespace pyisolate
