// The first process of a kernel whose virtiofs is a module: loads the modules of its archive in the order of their
// names, mounts the root that the host shares, and becomes that root's init (argv[1]). Prints and stops on a failure.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fail(const char* what) {
  dprintf(2, "switch-root: %s: %s\n", what, strerror(errno));
  sleep(1);
  return 1;
}

static int load(const struct dirent* entry) {
  char path[512];
  snprintf(path, sizeof path, "/modules/%s", entry->d_name);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  const long result = syscall(SYS_finit_module, fd, "", 0);
  close(fd);
  return result != 0 && errno != EEXIST ? -1 : 0;
}

static int not_dot(const struct dirent* entry) { return entry->d_name[0] != '.'; }

int main(int argc, char** argv) {
  struct dirent** modules = NULL;
  const int count = scandir("/modules", &modules, not_dot, alphasort);
  if (count < 0) return fail("/modules");
  for (int i = 0; i < count; ++i)
    if (load(modules[i]) != 0) return fail(modules[i]->d_name);
  if (argc < 2) return errno = EINVAL, fail("no init named");
  if (mount("rootfs", "/host", "virtiofs", 0, NULL) != 0) return fail("mount virtiofs");
  if (mount("dev", "/host/dev", "devtmpfs", 0, NULL) != 0) return fail("mount devtmpfs");
  if (chdir("/host") != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0 || chdir("/") != 0)
    return fail("switch to the root");
  const int console = open("/dev/console", O_RDWR);
  if (console < 0) return fail("/dev/console");
  for (int fd = 0; fd < 3; ++fd) dup2(console, fd);
  if (console > 2) close(console);
  execv(argv[1], argv + 1);
  return fail(argv[1]);
}
