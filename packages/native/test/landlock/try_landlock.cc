// pyisolate-try-landlock: what the kernel says to operations under rulesets. Lines on stdin, fields split by tabs:
//   domain <abi>                 what follows is for a new process; 0: without a ruleset
//   fs <right>,<right> <path>    a rule of its ruleset, by names of landlock(7) in lower case; nothing there, no rule
//   net <right> <from> <to>      the same of TCP ports
//   try <operation> <path>       in that process; `connect` and `bind` have a family and a port instead of a path
// On stdout: the kernel's ABI, then the errno of each operation, 0 where it was done, a line each.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "confine/landlock.h"
#include "operations.h"

namespace {

using Words = std::vector<std::string>;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "%s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

// By position: a right is the bit of its place (linux/landlock.h).
const std::vector<std::string> kFileRights{
    "execute",  "write_file", "read_file", "read_dir",   "remove_dir", "remove_file", "make_char", "make_dir",
    "make_reg", "make_sock",  "make_fifo", "make_block", "make_sym",   "refer",       "truncate",  "ioctl_dev"};
const std::vector<std::string> kPortRights{"bind_tcp", "connect_tcp"};

std::uint64_t bits_of(const std::string& list, const std::vector<std::string>& names) {
  std::uint64_t bits = 0;
  std::istringstream words(list);
  for (std::string word; std::getline(words, word, ',');) {
    std::size_t bit = 0;
    while (bit < names.size() && names[bit] != word) bit++;
    if (bit == names.size()) errno = EINVAL, fail(word);
    bits |= 1ull << bit;
  }
  return bits;
}

// LANDLOCK_RULE_NET_PORT and its attributes (ABI 4), which the build host's linux/landlock.h may not have.
constexpr int kRuleNetPort = 2;
struct NetPort {
  std::uint64_t allowed_access;
  std::uint64_t port;
};

void add_rule(int ruleset, int abi, const Words& rule) {
  if (rule.at(0) == "fs") {
    const int fd = open(rule.at(2).c_str(), O_PATH | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return;
    if (fd < 0) fail(rule[2]);
    const std::uint64_t access = bits_of(rule.at(1), kFileRights) & pyisolate::ruled_access_fs(abi);
    if (!pyisolate::allow_beneath(ruleset, fd, access)) fail(rule[2]);
    close(fd);
    return;
  }
  NetPort port{bits_of(rule.at(1), kPortRights) & pyisolate::ruled_access_net(abi), 0};
  if (port.allowed_access == 0) return;
  const auto to = std::strtoul(rule.at(3).c_str(), nullptr, 10);
  for (port.port = std::strtoul(rule.at(2).c_str(), nullptr, 10); port.port <= to; port.port++)
    if (syscall(SYS_landlock_add_rule, ruleset, kRuleNetPort, &port, 0) != 0) fail("a port");
}

// In a process of its own: a ruleset can't be left. It says each errno as four bytes.
void perform_all(int abi, const std::vector<Words>& rules, const std::vector<Words>& operations, int from, int to) {
  if (abi > 0) {
    const int ruleset = pyisolate::make_denying_ruleset(abi);
    if (ruleset < 0) fail("landlock_create_ruleset");
    for (const Words& rule : rules) add_rule(ruleset, abi, rule);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("no_new_privs");
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) fail("landlock_restrict_self");
    close(ruleset);
  }
  for (const Words& operation : operations) {
    char go;
    if (read(from, &go, 1) != 1) fail("the test");
    const int error = try_operation(operation);
    if (write(to, &error, sizeof error) != sizeof error) fail("the test");
  }
}

// What an operation needs is put there before it, and what it left is taken away after it, from outside the ruleset.
void run_domain(int abi, const std::vector<Words>& rules, const std::vector<Words>& operations) {
  int go[2], done[2];
  if (pipe2(go, O_CLOEXEC) != 0 || pipe2(done, O_CLOEXEC) != 0) fail("pipe2");
  const pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    perform_all(abi, rules, operations, go[0], done[1]);
    _exit(0);
  }
  close(go[0]);
  close(done[1]);
  for (const Words& operation : operations) {
    int error = 0;
    prepare_operation(operation);
    if (write(go[1], "", 1) != 1) fail("the process");
    if (read(done[0], &error, sizeof error) != sizeof error) fail("the process");
    clear_operation(operation);
    std::printf("%d\n", error);
  }
  close(go[1]);
  close(done[0]);
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) fail("the process");
}

}  // namespace

int main() {
  std::printf("%d\n", pyisolate::landlock_abi());
  std::fflush(stdout);
  int abi = -1;
  std::vector<Words> rules, operations;
  const auto finish = [&] {
    if (abi >= 0) run_domain(abi, rules, operations);
    // Not once more by the next child, when it fails.
    std::fflush(stdout);
    rules.clear();
    operations.clear();
  };
  for (std::string line; std::getline(std::cin, line);) {
    Words words;
    std::istringstream fields(line);
    for (std::string field; std::getline(fields, field, '\t');) words.push_back(field);
    if (words.at(0) == "domain") {
      finish();
      abi = std::atoi(words.at(1).c_str());
    } else if (words[0] == "try") {
      operations.emplace_back(words.begin() + 1, words.end());
    } else {
      rules.push_back(words);
    }
  }
  finish();
}
