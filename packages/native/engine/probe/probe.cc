#include "probe.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "build.h"
#include "json.h"
#include "trials.h"

namespace pyisolate {
namespace {

using probe::Json;

// The effective capabilities, as a bit set.
unsigned long capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capget, &header, data) != 0) return 0;
  return data[0].effective | (static_cast<unsigned long>(data[1].effective) << 32);
}

std::string rights() {
  const unsigned long has = capabilities();
  const auto holds = [has](int capability) { return ((has >> capability) & 1) != 0; };
  Json json;
  json.number("uid", static_cast<long>(geteuid()));
  json.flag("sysAdmin", holds(CAP_SYS_ADMIN));
  json.flag("bpf", holds(CAP_SYS_ADMIN) || (holds(CAP_BPF) && holds(CAP_PERFMON)));
  return json.done();
}

std::string namespaces() {
  Json json;
  json.trial("user", probe::user_namespace());
  json.trial("pid", probe::namespace_of(CLONE_NEWPID));
  json.trial("mount", probe::namespace_of(CLONE_NEWNS));
  json.trial("ipc", probe::namespace_of(CLONE_NEWIPC));
  json.trial("net", probe::namespace_of(CLONE_NEWNET));
  return json.done();
}

}  // namespace

int probe_main(int argc, char**) {
  if (argc > 2) {
    std::fputs("pyisolate-engine probe takes no arguments\n", stderr);
    return 2;
  }
  Json json;
  json.raw("rights", rights());
  json.raw("landlock", Json{}.number("abi", probe::landlock_abi()).trial("denies", probe::landlock_denies()).done());
  json.raw("seccomp", Json{}
                          .trial("filter", probe::seccomp_filter())
                          .trial("notification", probe::seccomp_notification())
                          .trial("killableWait", probe::seccomp_killable_wait())
                          .done());
  json.raw("bpf", Json{}
                      .trial("load", probe::bpf_load())
                      .trial("cgroup", probe::bpf_cgroup())
                      .trial("lsm", probe::bpf_lsm())
                      .done());
  json.trial("ioUring", probe::io_uring());
  json.raw("namespaces", namespaces());
  json.trial("pidfd", probe::pidfd());
  json.trial("sealedMemory", probe::sealed_memory());
  json.raw("build", probe::build_json());
  const bool written = std::printf("%s\n", json.done().c_str()) > 0 && std::fflush(stdout) == 0;
  return written ? 0 : 1;
}

}  // namespace pyisolate
