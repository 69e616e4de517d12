#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "trials.h"

namespace pyisolate::probe {

int landlock_abi() {
  const long abi = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return abi > 0 ? static_cast<int>(abi) : 0;
}

Trial landlock_denies() {
  return in_child([]() -> Trial {
    // Only what the first ABI had: newer kernels take a shorter struct.
    struct {
      __u64 handled_access_fs;
    } attributes{LANDLOCK_ACCESS_FS_READ_FILE};
    const long ruleset = syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (ruleset < 0) return Trial::failed("landlock_create_ruleset");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Trial::failed("no_new_privs");
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) return Trial::failed("landlock_restrict_self");
    if (open("/proc/self/status", O_RDONLY | O_CLOEXEC) >= 0) return Trial::failed("it denies nothing", ENOTSUP);
    return errno == EACCES ? Trial::ok() : Trial::failed("open");
  });
}

}  // namespace pyisolate::probe
