#include "zygote/world.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "zygote/identity.h"
#include "zygote/nested.h"

namespace pyisolate {
namespace {

constexpr int kShared = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;

bool without(const ZygoteOptions& options, const char* mechanism) {
  for (const auto& name : options.without) {
    if (name == mechanism) return true;
  }
  return false;
}

bool write_file(int proc, const char* name, const char* text, int size) {
  const int fd = openat(proc, name, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool ok = write(fd, text, size) == size;
  const int error = errno;
  close(fd);
  errno = error;
  return ok;
}

// Maps uid and gid kInsideId of the caller's user namespace to `uid` and `gid` of its parent (user_namespaces(7)).
// Without it no namespace could be made inside. Cells go without: unmapped, they are 65534 (nobody) all the same, and
// nothing else.
bool write_id_maps(int proc, unsigned uid, unsigned gid) {
  char line[48];
  if (!write_file(proc, "self/setgroups", "deny", 4)) return false;
  int size = std::snprintf(line, sizeof line, "%u %u 1\n", kInsideId, uid);
  if (!write_file(proc, "self/uid_map", line, size)) return false;
  size = std::snprintf(line, sizeof line, "%u %u 1\n", kInsideId, gid);
  return write_file(proc, "self/gid_map", line, size);
}

void plain_view(const ZygoteOptions& options, World& world) {
  world.home = options.home;
  world.stdlib = options.stdlib;
  world.module_paths = options.module_paths;
  world.readable = {options.stdlib};
  for (const auto* paths : {&options.read_paths, &options.module_paths}) {
    world.readable.insert(world.readable.end(), paths->begin(), paths->end());
  }
}

// In a UTS namespace of its own (unshare(kShared)): guests needn't know what the host is called.
void forget_host_name() {
  constexpr char kName[] = "sandbox";
  (void)!sethostname(kName, sizeof kName - 1);
  (void)!setdomainname("", 0);
}

struct NewRoot {
  std::vector<View> views;
  std::string failed;  // the step that was refused, and
  int error = 0;       // why
};

NewRoot take_root(const ZygoteOptions& options) {
  NewRoot root;
  root.failed = mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ? "make / private"
                                                                                : take_views(options, root.views);
  root.error = errno;
  return root;
}

void finish_root(NewRoot root, World& world, Report& report) {
  if (root.failed.empty()) {
    root.failed = enter_root(root.views, world);
    root.error = errno;
  }
  if (root.failed.empty()) {
    report.active("mount-namespace", false, "a read-only root with the standard library and granted paths; no /proc");
  } else {
    report.missing("mount-namespace", false, root.failed, root.error);
  }
}

// The host's capabilities are out of reach of whatever comes of this process, also where there is no user namespace.
void drop_bounding_set() {
  for (int cap = 0; prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; ++cap) {
  }
}

// Whether guests could read a folder by its path, asked with their uid.
bool guests_reach(const std::string& path, unsigned id) {
  if (setegid(id) != 0 || seteuid(id) != 0) return true;  // what follows will say so
  const bool ok = faccessat(AT_FDCWD, path.c_str(), R_OK | X_OK, AT_EACCESS) == 0;
  return seteuid(0) == 0 && setegid(0) == 0 && ok;
}

// For a root without CAP_SYS_ADMIN, as containers have it: a standard library under a closed home can't be mounted
// elsewhere, but its folder can become the root (chroot(2), CAP_SYS_CHROOT).
void enter_prefix(const ZygoteOptions& options, World& world, Report& report) {
  const std::string& home = options.home;
  const bool inside = options.stdlib.compare(0, home.size() + 1, home + "/") == 0;
  if (!inside || !options.read_paths.empty() || !options.module_paths.empty()) return;
  if (chroot(home.c_str()) != 0 || chdir("/") != 0) return;
  world.home = "/";
  world.stdlib = options.stdlib.substr(home.size());
  world.readable = {world.stdlib};
  report.active("root-directory", false, "nothing but the interpreter's own folder; no /dev/null");
}

// For whoever holds a user namespace.
void own_namespaces(World& world, Report& report) {
  report.active("user-namespace", false, "one per cell, holding no capability");
  world.cell_namespaces = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC;
}

}  // namespace

bool enter_world(const ZygoteOptions& options, World& world, Report& report, std::string& problem) {
  plain_view(options, world);
  world.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  world.null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (world.proc < 0 || world.null < 0) {
    problem = "can't open /proc and /dev/null";
    return false;
  }
#ifdef PYISOLATE_UNCONFINED
  return true;
#endif
  unsigned uid = geteuid();
  unsigned gid = getegid();
  const bool root = uid == 0;
  const unsigned cell = root ? cell_id(world.proc) : uid;
  if (root && cell == 0) {
    problem =
        "no user id but root's is mapped here (/proc/self/uid_map), and guests don't run as root: map a range of "
        "ids into this user namespace, or start as an ordinary user outside it";
    errno = 0;
    return false;
  }
  const bool willing = !without(options, "namespaces");
  bool separate = false;  // namespaces but the user's have been made
  bool nested = false;    // the user's as well
  if (root && willing) {
    // As root: everything that needs the real root first (the standard library may lie where only root
    // can go), then the unprivileged uid for good.
    separate = unshare(kShared) == 0;
    if (separate) {
      forget_host_name();
      finish_root(take_root(options), world, report);
    }
  }
  if (root) {
    const bool alone = setgroups(0, nullptr) == 0;
    drop_bounding_set();
    if (alone && willing && !separate) {
      nested = enter_as_root(world.proc, kShared, cell, world.stdlib, problem);
      if (!problem.empty()) return false;
    }
    NewRoot new_root;
    if (nested) {
      forget_host_name();
      new_root = take_root(options);
    } else if (alone && !guests_reach(world.stdlib, cell)) {
      enter_prefix(options, world, report);
    }
    uid = gid = nested ? kInsideId : cell;
    if (!alone || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) {
      problem =
          alone && errno == EINVAL
              ? "no user id but root's is mapped in this user namespace (/proc/self/uid_map), and guests don't run "
                "as root: map a range of ids into it, or start as an ordinary user"
              : "can't become an unprivileged user: keep CAP_SETUID and CAP_SETGID, or start as one";
      return false;
    }
    prctl(PR_SET_DUMPABLE, 1);  // or /proc/self/uid_map would belong to root
    if (nested) finish_root(std::move(new_root), world, report);
  }
  report.active("unprivileged-uid", true, root ? "uid " + std::to_string(cell) : "the supervisor's own uid, not root");

  if (nested) {
    own_namespaces(world, report);
    separate = true;
  } else if (!willing || unshare(CLONE_NEWUSER | (separate ? 0 : kShared)) != 0) {
    const int error = willing ? errno : EPERM;
    report.missing("user-namespace", false, "unshare", error);
    report.missing("pid-namespace", false, "unshare", error);
    if (!separate) {
      for (const char* name : {"mount-namespace", "network-namespace", "ipc-namespace"}) {
        report.missing(name, false, "unshare", error);
      }
    }
  } else if (!write_id_maps(world.proc, uid, gid)) {
    // As under AppArmor on Ubuntu 24.04: a user namespace, but nothing may be done in it.
    const int error = errno;
    report.missing("user-namespace", false, "write the id maps", error);
    report.missing("pid-namespace", false, "write the id maps", error);
    if (!separate) report.missing("mount-namespace", false, "write the id maps", error);
    separate = true;
  } else {
    if (!separate) {
      forget_host_name();
      finish_root(take_root(options), world, report);
    }
    separate = true;
    own_namespaces(world, report);
  }
  if (separate) {
    report.active("network-namespace", false, "empty: not even a loopback interface is up");
    report.active("ipc-namespace", false, "no System V or POSIX queues of others");
  }
  return true;
}

}  // namespace pyisolate
