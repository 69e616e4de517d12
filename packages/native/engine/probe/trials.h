// The attempts themselves, one file per mechanism. Each says in its own words what it takes for success.
#pragma once

#include "trial.h"

namespace pyisolate::probe {

// The newest Landlock ABI of the kernel, 0 without Landlock.
int landlock_abi();
// A ruleset really denies a file that could be read before.
Trial landlock_denies();

// A filter answers a call with the errno it names.
Trial seccomp_filter();
// A call of one thread is answered by another one, which hands it a descriptor (ADDFD).
Trial seccomp_notification();
// The same listener, with a wait that only fatal signals interrupt.
Trial seccomp_killable_wait();

// A program that does nothing, of the kind that needs the least rights.
Trial bpf_load();
// A connect4 program; only loaded, not attached.
Trial bpf_cgroup();
// A program on an LSM hook, attached, that really denies: one ioctl command nobody else uses, and nothing else.
Trial bpf_lsm();

Trial io_uring();

// `flag` is a CLONE_NEW*. User namespaces must also be of use: a host may grant them without their capabilities.
Trial user_namespace();
Trial namespace_of(int flag);

// clone3 with a pidfd; a sealed memfd.
Trial pidfd();
Trial sealed_memory();

}  // namespace pyisolate::probe
