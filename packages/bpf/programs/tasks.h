// Other tasks, and the kernel: a sandbox signals and traces itself alone, mounts nothing and loads no programs.
#pragma once

#include "events.h"
#include "label.h"

// Whether `other` is of the same sandbox.
static __always_inline bool is_own(const struct pyi_task* label, struct task_struct* other) {
  const struct pyi_task* theirs = bpf_task_storage_get(&pyi_tasks, other, NULL, 0);
  return theirs && theirs->sandbox == label->sandbox;
}

static __always_inline int deny_foreign(struct task_struct* other, __u32 operation) {
  const struct pyi_task* task = current_label();
  if (!task || is_own(task, other)) return 0;
  const struct subject subject = subject_of(task);
  return deny(&subject, operation, EPERM);
}

static __always_inline int deny_labelled(__u32 operation) {
  const struct pyi_task* task = current_label();
  if (!task) return 0;
  const struct subject subject = subject_of(task);
  return deny(&subject, operation, EPERM);
}

SEC("lsm/task_kill")
int BPF_PROG(pyi_task_kill, struct task_struct* target) { return deny_foreign(target, PYI_SIGNAL); }

// Also process_vm_readv(2), pidfd_getfd(2) and what of /proc is closed to strangers.
SEC("lsm/ptrace_access_check")
int BPF_PROG(pyi_ptrace_access_check, struct task_struct* child) { return deny_foreign(child, PYI_TRACE); }

SEC("lsm/ptrace_traceme")
int BPF_PROG(pyi_ptrace_traceme, struct task_struct* parent) { return deny_foreign(parent, PYI_TRACE); }

SEC("lsm/bpf")
int BPF_PROG(pyi_bpf) { return deny_labelled(PYI_BPF); }

SEC("lsm/sb_mount")
int BPF_PROG(pyi_sb_mount) { return deny_labelled(PYI_MOUNT); }

SEC("lsm/sb_umount")
int BPF_PROG(pyi_sb_umount) { return deny_labelled(PYI_MOUNT); }

SEC("lsm/sb_pivotroot")
int BPF_PROG(pyi_sb_pivotroot) { return deny_labelled(PYI_MOUNT); }

SEC("lsm/move_mount")
int BPF_PROG(pyi_move_mount) { return deny_labelled(PYI_MOUNT); }

SEC("lsm/path_chroot")
int BPF_PROG(pyi_path_chroot) { return deny_labelled(PYI_MOUNT); }
