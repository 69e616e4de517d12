// A zygote that is killed between making a cell and telling its pidfd leaves a child of ours that nobody
// knows. It is found by its session, which the zygote opened and its cells inherit.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "loop.h"

namespace pyisolate {
namespace {

std::string read_all(const std::string& path) {
  std::string text;
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char part[4096];
  for (ssize_t got; fd && (got = ::read(fd.get(), part, sizeof part)) > 0;)
    text.append(part, static_cast<std::size_t>(got));
  return text;
}

pid_t session_of(pid_t pid) {
  const std::string stat = read_all("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = stat.rfind(')');  // the name may hold anything
  int parent = 0, group = 0, session = 0;
  char state = 0;
  if (name_end == std::string::npos) return 0;
  std::sscanf(stat.c_str() + name_end + 1, " %c %d %d %d", &state, &parent, &group, &session);
  return session;
}

}  // namespace

bool Loop::sweep_orphans(pid_t session) {
  std::unique_ptr<DIR, int (*)(DIR*)> tasks(::opendir("/proc/self/task"), ::closedir);
  if (!tasks) return false;
  while (const dirent* task = ::readdir(tasks.get())) {
    if (task->d_name[0] == '.') continue;
    const std::string children = read_all(std::string("/proc/self/task/") + task->d_name + "/children");
    for (const char* at = children.c_str(); *at != '\0';) {
      char* next = nullptr;
      const auto pid = static_cast<pid_t>(std::strtol(at, &next, 10));
      if (next == at) break;
      at = next;
      if (pids_.count(pid) != 0 || session_of(pid) != session) continue;
      UniqueFd pidfd = open_pidfd(pid);
      signal_process(pidfd.get(), SIGKILL);
      reap_later(std::move(pidfd), pid);
    }
  }
  return true;
}

}  // namespace pyisolate
