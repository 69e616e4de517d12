#include "launch.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

#include <vector>

#include "../shared/control.h"
#include "system_failure.h"
#include "zygote.h"

namespace pyisolate {
namespace {

struct FileActions {
  FileActions() { posix_spawn_file_actions_init(&actions); }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions); }
  posix_spawn_file_actions_t actions;
};

struct Attributes {
  Attributes() { posix_spawnattr_init(&attributes); }
  ~Attributes() { posix_spawnattr_destroy(&attributes); }
  posix_spawnattr_t attributes;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (const auto& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

}  // namespace

pid_t launch_engine(const ZygoteOptions& options, int control, int errors) {
  FileActions files;
  posix_spawn_file_actions_addopen(&files.actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files.actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&files.actions, errors, 2);
  posix_spawn_file_actions_adddup2(&files.actions, control, kControlFd);
  posix_spawn_file_actions_addclosefrom_np(&files.actions, kControlFd + 1);

  Attributes spawn;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&spawn.attributes, &none);
  posix_spawnattr_setsigdefault(&spawn.attributes, &all);
  // A session of its own: a Ctrl-C meant for the supervisor doesn't reach the cells.
  posix_spawnattr_setflags(&spawn.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);

  std::vector<std::string> args{options.executable};
  args.insert(args.end(), options.args.begin(), options.args.end());
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, options.executable.c_str(), &files.actions, &spawn.attributes,
                                  pointers(args).data(), pointers(options.env).data());
  if (error != 0) throw SystemFailure("posix_spawn", error);
  return pid;
}

}  // namespace pyisolate
