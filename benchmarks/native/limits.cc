// What this machine can do at best: the physical limits that the figures are compared with, and processes
// started from as little as possible. Reads one command a line, answers one line of JSON, times in nanoseconds.
//
//   eventfd COUNT PAUSE_US          round trips over two eventfds with another process
//   thread COUNT PAUSE_US           pthread_create to the thread's first instruction being known here
//   fork COUNT PAUSE_US MIB         fork to the child's first instruction being known here, MIB touched before
//   forkexit COUNT PAUSE_US MIB     fork, exit, reaped
//   seal COUNT PAUSE_US BYTES       1,000 texts sealed by OpenSSL's ChaCha20-Poly1305 as `openssl speed` does it: under
//   one
//                                   nonce, and without taking the tags
//   spawn COUNT PAUSE_US ARGV…      posix_spawn to the first byte of output (arguments parted by tabs)
//   notify COUNT PAUSE_US           a system call of another process that is answered here (seccomp_unotify(2))
//   mapupdate COUNT PAUSE_US        one element of a BPF array map replaced (bpf(2)); root's
//
// PAUSE_US is slept before each sample: a processor that slept wakes up more slowly.
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Samples = std::vector<std::int64_t>;

std::int64_t now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

void check(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(what);
}

class Event {
 public:
  Event() : fd_(eventfd(0, EFD_CLOEXEC)) { check(fd_ >= 0, "eventfd"); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { close(fd_); }
  void ring() const {
    const std::uint64_t one = 1;
    check(write(fd_, &one, sizeof one) == sizeof one, "write to an eventfd");
  }
  void wait() const {
    std::uint64_t count = 0;
    check(read(fd_, &count, sizeof count) == sizeof count, "read of an eventfd");
  }

 private:
  int fd_;
};

struct Pace {
  int count;
  useconds_t pause;
};

template <typename Body>
Samples sample(const Pace& pace, Body body) {
  Samples samples;
  samples.reserve(pace.count);
  for (int i = 0; i < pace.count; i++) {
    if (pace.pause > 0) usleep(pace.pause);
    samples.push_back(body());
  }
  return samples;
}

// A child of ours doesn't outlive us, whatever happens here.
pid_t fork_child() {
  const pid_t parent = getpid();
  const pid_t pid = fork();
  check(pid >= 0, "fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
  }
  return pid;
}

void reap(pid_t pid) { check(waitpid(pid, nullptr, 0) == pid, "waitpid"); }

Samples eventfd_round_trips(const Pace& pace) {
  const Event ping, pong;
  const pid_t child = fork_child();
  if (child == 0) {
    for (;;) {
      ping.wait();
      pong.ring();
    }
  }
  const auto once = [&] {
    const auto start = now();
    ping.ring();
    pong.wait();
    return now() - start;
  };
  once();  // the child runs
  Samples samples = sample(pace, once);
  kill(child, SIGKILL);
  reap(child);
  return samples;
}

Samples thread_starts(const Pace& pace) {
  static const Event started;
  return sample(pace, [] {
    pthread_t thread{};
    const auto start = now();
    const auto body = [](void*) -> void* {
      started.ring();
      return nullptr;
    };
    check(pthread_create(&thread, nullptr, body, nullptr) == 0, "pthread_create");
    started.wait();
    const auto took = now() - start;
    pthread_join(thread, nullptr);
    return took;
  });
}

class Ballast {
 public:
  explicit Ballast(std::size_t mib) : bytes_(mib << 20) {
    if (bytes_ == 0) return;
    memory_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(memory_ != MAP_FAILED, "mmap");
    // Pages of the usual size, as an allocator of small objects leaves them.
    madvise(memory_, bytes_, MADV_NOHUGEPAGE);
    for (std::size_t at = 0; at < bytes_; at += 4096) static_cast<char*>(memory_)[at] = 1;
  }
  Ballast(const Ballast&) = delete;
  Ballast& operator=(const Ballast&) = delete;
  ~Ballast() {
    if (memory_ != nullptr) munmap(memory_, bytes_);
  }

 private:
  std::size_t bytes_;
  void* memory_ = nullptr;
};

Samples forks(const Pace& pace, std::size_t mib, bool until_reaped) {
  const Ballast ballast(mib);
  const Event started;
  return sample(pace, [&] {
    const auto start = now();
    const pid_t child = fork_child();
    if (child == 0) {
      if (!until_reaped) started.ring();
      _exit(0);
    }
    if (!until_reaped) started.wait();
    const auto told = now();
    reap(child);
    return (until_reaped ? now() : told) - start;
  });
}

Samples spawns(const Pace& pace, std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return sample(pace, [&] {
    int out[2];
    check(pipe2(out, O_CLOEXEC) == 0, "pipe2");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    pid_t child = 0;
    const auto start = now();
    const int failed = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
    close(out[1]);
    char first = 0;
    const ssize_t got = failed == 0 ? read(out[0], &first, 1) : -1;
    const auto took = now() - start;
    posix_spawn_file_actions_destroy(&actions);
    if (failed == 0) reap(child);
    close(out[0]);
    check(failed == 0, "posix_spawn");
    check(got == 1 && first == '1', "the command did not print 1");
    return took;
  });
}

// What the process under the filter and the one that answers share.
struct NotifyPage {
  std::atomic<int> listener;
  std::int64_t samples[];
};

// Installs a filter that hands getppid to whoever holds the listener, and times it. Shares its descriptors with us.
[[noreturn]] void call_under_filter(NotifyPage& page, const Event& ready, const Pace& pace) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{sizeof code / sizeof *code, code};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const auto made = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  page.listener = static_cast<int>(made);
  ready.ring();
  for (int i = -1; page.listener >= 0 && i < pace.count; i++) {
    if (pace.pause > 0) usleep(pace.pause);
    const auto start = now();
    const bool right = syscall(SYS_getppid) == 42;
    if (i >= 0) page.samples[i] = right ? now() - start : -1;
  }
  _exit(0);
}

Samples notify_round_trips(const Pace& pace) {
  const Event ready;
  const std::size_t bytes = sizeof(NotifyPage) + pace.count * sizeof(std::int64_t);
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  check(memory != MAP_FAILED, "mmap");
  auto& page = *static_cast<NotifyPage*>(memory);
  const pid_t parent = getpid();
  const auto child = static_cast<pid_t>(syscall(SYS_clone, CLONE_FILES | SIGCHLD, nullptr, nullptr, nullptr, 0));
  check(child >= 0, "clone");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (static_cast<pid_t>(syscall(SYS_getppid)) != parent) _exit(1);
    call_under_filter(page, ready, pace);
  }
  ready.wait();
  const int listener = page.listener;
  bool answered = listener >= 0;
  for (int i = -1; answered && i < pace.count; i++) {
    seccomp_notif call{};
    answered = ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) == 0;
    seccomp_notif_resp reply{};
    reply.id = call.id;
    reply.val = 42;
    answered = answered && ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply) == 0;
  }
  if (listener >= 0) close(listener);
  reap(child);
  Samples samples(page.samples, page.samples + pace.count);
  munmap(memory, bytes);
  check(answered, "seccomp_unotify");
  for (const auto one : samples) check(one >= 0, "a notified call that another answered");
  return samples;
}

Samples map_updates(const Pace& pace) {
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = sizeof(std::uint32_t);
  attributes.value_size = sizeof(std::uint64_t);
  attributes.max_entries = 1;
  const int map = static_cast<int>(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes));
  check(map >= 0, "no BPF map can be made here (root's, or CAP_BPF)");
  const std::uint32_t key = 0;
  std::uint64_t value = 0;
  bpf_attr update{};
  update.map_fd = static_cast<std::uint32_t>(map);
  update.key = reinterpret_cast<std::uint64_t>(&key);
  update.value = reinterpret_cast<std::uint64_t>(&value);
  bool updated = true;
  Samples samples = sample(pace, [&] {
    value++;
    const auto start = now();
    updated = syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &update, sizeof update) == 0 && updated;
    return now() - start;
  });
  close(map);
  check(updated, "an update of a BPF map");
  return samples;
}

Samples seals(const Pace& pace, std::size_t bytes) {
  const std::vector<unsigned char> key(32, 1), nonce(12, 2);
  std::vector<unsigned char> text(bytes, 3), out(bytes + 16);
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  check(EVP_EncryptInit_ex(context, EVP_chacha20_poly1305(), nullptr, key.data(), nonce.data()) == 1,
        "EVP_EncryptInit");
  Samples samples = sample(pace, [&] {
    int written = 0;
    const auto start = now();
    for (int i = 0; i < 1000; i++) {
      check(EVP_EncryptUpdate(context, out.data(), &written, text.data(), static_cast<int>(bytes)) == 1, "update");
      check(EVP_EncryptFinal_ex(context, out.data() + bytes, &written) == 1, "final");
    }
    return now() - start;
  });
  EVP_CIPHER_CTX_free(context);
  return samples;
}

std::vector<std::string> split_tabs(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, '\t');) parts.push_back(part);
  return parts;
}

Samples answer(const std::string& line) {
  std::istringstream words(line);
  std::string command;
  Pace pace{};
  words >> command >> pace.count >> pace.pause;
  if (command == "eventfd") return eventfd_round_trips(pace);
  if (command == "thread") return thread_starts(pace);
  if (command == "fork" || command == "forkexit") {
    std::size_t mib = 0;
    words >> mib;
    return forks(pace, mib, command == "forkexit");
  }
  if (command == "notify") return notify_round_trips(pace);
  if (command == "mapupdate") return map_updates(pace);
  if (command == "seal") {
    std::size_t bytes = 0;
    words >> bytes;
    return seals(pace, bytes);
  }
  if (command == "spawn") {
    std::string rest;
    words.ignore(1);
    std::getline(words, rest);
    return spawns(pace, split_tabs(rest));
  }
  throw std::runtime_error("unknown command");
}

void print(const Samples& samples) {
  std::string text = "{\"samples\":[";
  for (std::size_t i = 0; i < samples.size(); i++) text += (i == 0 ? "" : ",") + std::to_string(samples[i]);
  std::cout << text << "]}" << std::endl;
}

}  // namespace

int main() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (std::string line; std::getline(std::cin, line);) {
    try {
      print(answer(line));
    } catch (const std::exception& error) {
      std::cout << "{\"error\":\"" << error.what() << "\"}" << std::endl;
    }
  }
}
