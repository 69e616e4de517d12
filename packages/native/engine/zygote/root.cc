// The minimal root: a tmpfs with read-only views of the standard library and the granted paths.
// mount_setattr(2) is Linux 5.12, open_tree(2) and move_mount(2) are Linux 5.2.
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "zygote/world.h"

extern "C" {
// glibc's <sys/mount.h> and <linux/mount.h> don't agree before glibc 2.37: declare the three calls used.
int mount(const char*, const char*, const char*, unsigned long, const void*) noexcept;
int umount2(const char*, int) noexcept;
}

namespace pyisolate {
namespace {

constexpr unsigned long kNoSuid = 2;  // MS_NOSUID
constexpr unsigned long kNoDev = 4;   // MS_NODEV
constexpr unsigned long kNoExec = 8;  // MS_NOEXEC
constexpr int kDetach = 2;            // MNT_DETACH

int clone_tree(const std::string& path) {
  return static_cast<int>(
      syscall(SYS_open_tree, AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
}

int restrict_mount(int fd, const char* path, unsigned flags, bool device) {
  struct mount_attr attr = {};
  attr.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_RDONLY;
  if (!device) attr.attr_set |= MOUNT_ATTR_NODEV;
  return static_cast<int>(syscall(SYS_mount_setattr, fd, path, flags, &attr, sizeof attr));
}

// `path` is relative to the new root, without a leading slash; parents are made as needed.
bool make_target(const std::string& path, bool folder) {
  for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
    if (mkdir(path.substr(0, at).c_str(), 0755) != 0 && errno != EEXIST) return false;
  }
  if (folder) return mkdir(path.c_str(), 0755) == 0 || errno == EEXIST;
  const int fd = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0444);
  if (fd < 0) return false;
  close(fd);
  return true;
}

}  // namespace

std::string take_views(const ZygoteOptions& options, std::vector<View>& views) {
  const std::string library = "/usr/lib/" + options.stdlib.substr(options.stdlib.rfind('/') + 1);
  views = {{options.stdlib, library, false}, {"/dev/null", "/dev/null", true}};
  for (const auto* paths : {&options.read_paths, &options.module_paths}) {
    for (const std::string& path : *paths) views.push_back({path, path, false});
  }
  for (View& view : views) {
    view.tree = clone_tree(view.from);
    if (view.tree < 0) return "open_tree " + view.from;
  }
  return {};
}

std::string enter_root(const std::vector<View>& views, World& world) {
  if (mount("tmpfs", "/tmp", "tmpfs", kNoSuid | kNoDev | kNoExec, "mode=0755,size=1m") != 0) return "mount tmpfs";
  if (chdir("/tmp") != 0) return "chdir";
  for (const View& view : views) {
    struct stat info;
    if (fstatat(view.tree, "", &info, AT_EMPTY_PATH) != 0) return "stat " + view.from;
    const std::string target = view.to.substr(1);
    if (!make_target(target, S_ISDIR(info.st_mode))) return "create " + view.to;
    if (syscall(SYS_move_mount, view.tree, "", AT_FDCWD, target.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0) {
      return "move_mount " + view.to;
    }
    if (restrict_mount(view.tree, "", AT_EMPTY_PATH | AT_RECURSIVE, view.device) != 0)
      return "mount_setattr " + view.to;
    close(view.tree);
  }
  if (restrict_mount(AT_FDCWD, ".", 0, false) != 0) return "mount_setattr /";
  if (syscall(SYS_pivot_root, ".", ".") == 0) {
    if (umount2(".", kDetach) != 0) return "umount";
  } else if (chroot(".") != 0) {
    // pivot_root(2) needs the present root to be a mount, which in a chroot it isn't. What is outside stays mounted,
    // but no cell has a descriptor of it, or the capability to leave.
    return "pivot_root and chroot";
  }
  if (chdir("/") != 0) return "chdir /";

  world.home = "/usr";
  world.stdlib = views.front().to;
  world.readable = {world.stdlib};
  for (const View& view : views) {
    if (!view.device) world.readable.push_back(view.to);
  }
  return {};
}

}  // namespace pyisolate
