#include "calls.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <thread>

std::atomic<bool> hammering{false};

namespace {

using Words = std::vector<std::string>;

long outcome(long result) { return result < 0 ? errno : 0; }

long open_file(const Words& w) {
  static const std::map<std::string, int> modes{
      {"r", O_RDONLY}, {"w", O_WRONLY}, {"rw", O_RDWR}, {"create", O_WRONLY | O_CREAT | O_EXCL}, {"path", O_PATH}};
  int fd = open(w.at(1).c_str(), modes.at(w.at(2)) | O_CLOEXEC, 0644);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

/// The answer of a child: 0 to 255.
long in_child(const std::function<int()>& body) {
  pid_t child = fork();
  if (child < 0) return errno;
  if (child == 0) _exit(body());
  int status = 0;
  if (waitpid(child, &status, 0) != child) return errno;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

long execute(const Words& w) {
  return in_child([&] {
    const char* arguments[] = {w.at(1).c_str(), nullptr};
    execv(arguments[0], const_cast<char**>(arguments));
    return errno;
  });
}

long map_file(const Words& w) {
  int fd = open(w.at(1).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 1000 + errno;
  void* memory = mmap(nullptr, 4096, PROT_READ | (w.at(2) == "x" ? PROT_EXEC : 0), MAP_PRIVATE, fd, 0);
  long result = memory == MAP_FAILED ? errno : 0;
  close(fd);
  return result;
}

long protect_file(const Words& w) {
  int fd = open(w.at(1).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 1000 + errno;
  void* memory = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  close(fd);
  if (memory == MAP_FAILED) return 2000 + errno;
  long result = outcome(mprotect(memory, 4096, PROT_READ | PROT_EXEC));
  munmap(memory, 4096);
  return result;
}

/// Opens until told to stop: how often it went through, or -1 for an errno that isn't EACCES.
long hammer(const Words& w) {
  long passed = 0;
  while (hammering.load(std::memory_order_relaxed)) {
    int fd = open(w.at(1).c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      if (errno != EACCES) return -1;
      continue;
    }
    passed++;
    close(fd);
  }
  return passed;
}

/// The other way round: how often a permitted open failed.
long insist(const Words& w) {
  long failed = 0;
  while (hammering.load(std::memory_order_relaxed)) {
    int fd = open(w.at(1).c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
      failed++;
    else
      close(fd);
  }
  return failed;
}

/// A second thread swaps the names in memory while the first one opens by them: how often the second file was read,
/// whose text starts with `s`.
long race_open(const Words& w) {
  char name[4096];
  std::atomic<bool> over{false};
  auto write_name = [&](const std::string& path) { memcpy(name, path.c_str(), path.size() + 1); };
  write_name(w.at(1));
  std::thread other([&] {
    for (bool second = true; !over.load(std::memory_order_relaxed); second = !second) write_name(w.at(second ? 2 : 1));
  });
  long reads = 0;
  for (int i = 0; i < std::atoi(w.at(3).c_str()); i++) {
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    char first = 0;
    if (fd >= 0 && read(fd, &first, 1) == 1 && first == 's') reads++;
    if (fd >= 0) close(fd);
  }
  over = true;
  other.join();
  return reads;
}

/// Opens once more what a descriptor that gives no right to read names.
long reopen(const Words& w) {
  int fd = open(w.at(1).c_str(), O_PATH | O_CLOEXEC);
  if (fd < 0) return 1000 + errno;
  long result = open_file({"open", "/proc/self/fd/" + std::to_string(fd), "r"});
  close(fd);
  return result;
}

long make_map() {
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = 4;
  attributes.value_size = 4;
  attributes.max_entries = 1;
  long fd = syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes));
  if (fd < 0) return errno;
  close(static_cast<int>(fd));
  return 0;
}

long repeat(const Words& w) {
  long failed = 0;
  for (int i = 0; i < std::atoi(w.at(2).c_str()); i++)
    if (open_file({"open", w.at(1), "r"}) != 0) failed++;
  return failed;
}

/// Runs another call in a child of this thread.
long forked(const Words& w) {
  return in_child([&] { return static_cast<int>(perform(Words(w.begin() + 1, w.end()))); });
}

const std::map<std::string, std::function<long(const Words&)>> kCalls{
    {"open", open_file},
    {"exec", execute},
    {"forked", forked},
    {"repeat", repeat},
    {"unlink", [](const Words& w) { return outcome(unlink(w.at(1).c_str())); }},
    {"rename", [](const Words& w) { return outcome(rename(w.at(1).c_str(), w.at(2).c_str())); }},
    {"mkdir", [](const Words& w) { return outcome(mkdir(w.at(1).c_str(), 0755)); }},
    {"rmdir", [](const Words& w) { return outcome(rmdir(w.at(1).c_str())); }},
    {"mknod", [](const Words& w) { return outcome(mknod(w.at(1).c_str(), S_IFIFO | 0644, 0)); }},
    {"link", [](const Words& w) { return outcome(link(w.at(1).c_str(), w.at(2).c_str())); }},
    {"symlink", [](const Words& w) { return outcome(symlink(w.at(1).c_str(), w.at(2).c_str())); }},
    {"truncate", [](const Words& w) { return outcome(truncate(w.at(1).c_str(), 0)); }},
    {"chmod", [](const Words& w) { return outcome(chmod(w.at(1).c_str(), 0600)); }},
    {"chown", [](const Words& w) { return outcome(chown(w.at(1).c_str(), 0, 0)); }},
    {"utimes", [](const Words& w) { return outcome(utimensat(AT_FDCWD, w.at(1).c_str(), nullptr, 0)); }},
    {"mmap", map_file},
    {"mprotect", protect_file},
    {"kill", [](const Words& w) { return outcome(kill(std::atoi(w.at(1).c_str()), std::atoi(w.at(2).c_str()))); }},
    {"ptrace", [](const Words& w) { return outcome(ptrace(PTRACE_SEIZE, std::atoi(w.at(1).c_str()), 0, 0)); }},
    {"bpf", [](const Words&) { return make_map(); }},
    {"mount", [](const Words& w) { return outcome(mount(w.at(1).c_str(), w.at(2).c_str(), "", MS_BIND, nullptr)); }},
    {"umount", [](const Words& w) { return outcome(umount(w.at(1).c_str())); }},
    {"chroot", [](const Words& w) { return outcome(chroot(w.at(1).c_str())); }},
    {"start", [](const Words&) { return hammering.store(true), 0L; }},
    {"stop", [](const Words&) { return hammering.store(false), 0L; }},
    {"race-open", race_open},
    {"reopen", reopen},
    {"hammer", hammer},
    {"insist", insist},
};

}  // namespace

long perform(const Words& call) {
  auto found = kCalls.find(call.at(0));
  if (found != kCalls.end()) return found->second(call);
  const long result = perform_descriptor(call);
  return result == -1 ? perform_socket(call) : result;
}
