#include "zygote/nested.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace pyisolate {
namespace {

bool tell(int fd) { return send(fd, "", 1, MSG_NOSIGNAL) == 1; }

// False when the other side has gone.
bool hear(int fd) {
  char byte;
  ssize_t size;
  do {
    size = read(fd, &byte, 1);
  } while (size < 0 && errno == EINTR);
  return size == 1;
}

int status_of(pid_t pid) {
  int status = -1;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

bool write_map(int proc, pid_t pid, const char* name, unsigned outside) {
  const std::string file = std::to_string(pid) + "/" + name;
  const int fd = openat(proc, file.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char line[48];
  const int size = std::snprintf(line, sizeof line, "%u %u 1\n", kInsideId, outside);
  const bool ok = write(fd, line, static_cast<std::size_t>(size)) == size;
  close(fd);
  return ok;
}

enum class Step { refused, half_way, entered };

// The maps are another process's to write: the one that has left for the new namespace lacks the capabilities in the
// old.
Step enter(int proc, int others, unsigned outside) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return Step::refused;
  const pid_t self = getpid();
  const pid_t writer = fork();
  if (writer == 0) {
    close(pair[0]);
    const bool ok = hear(pair[1]) && write_map(proc, self, "gid_map", outside) &&
                    write_map(proc, self, "uid_map", outside) && tell(pair[1]);
    _exit(ok ? 0 : 1);
  }
  close(pair[1]);
  const bool left = writer > 0 && unshare(CLONE_NEWUSER | others) == 0;
  const bool mapped = left && tell(pair[0]) && hear(pair[0]);
  close(pair[0]);
  if (writer > 0) status_of(writer);
  return mapped ? Step::entered : left ? Step::half_way : Step::refused;
}

bool possible(int proc, int others, unsigned outside, const std::string& library) {
  const pid_t pid = fork();
  if (pid == 0) {
    const bool ok = enter(proc, others, outside) == Step::entered &&
                    mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                    access(library.c_str(), R_OK | X_OK) == 0 && setresgid(kInsideId, kInsideId, kInsideId) == 0 &&
                    setresuid(kInsideId, kInsideId, kInsideId) == 0;
    _exit(ok ? 0 : 1);
  }
  return pid > 0 && status_of(pid) == 0;
}

}  // namespace

bool enter_as_root(int proc, int others, unsigned outside, const std::string& library, std::string& problem) {
  if (!possible(proc, others, outside, library)) return false;
  const Step step = enter(proc, others, outside);
  if (step == Step::half_way) problem = "a user namespace that could be entered a moment ago can't be now";
  return step == Step::entered;
}

}  // namespace pyisolate
