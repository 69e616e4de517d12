/* Children, other tasks, and what no policy allows. */
#ifndef PYISOLATE_BPF_TASK_HOOKS_H
#define PYISOLATE_BPF_TASK_HOOKS_H

#include "event.h"

/* A child is in its parent's sandbox before it first runs; one that can't be isn't made. */
SEC("lsm/task_alloc")
int BPF_PROG(pyi_task_alloc, struct task_struct* child) {
  struct task_struct* current = (struct task_struct*)bpf_get_current_task_btf();
  struct pyi_task* own = bpf_task_storage_get(&tasks, current, NULL, 0);
  if (!own) return 0;
  struct pyi_task* childs = bpf_task_storage_get(&tasks, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!childs) return -ENOMEM;
  childs->policy_slot = own->policy_slot;
  childs->flags = own->flags;
  childs->started_ns = own->started_ns;
  childs->index = own->index;
  childs->sandbox = own->sandbox;
  return 0;
}

/* Its own process may be ended by anybody in it; beyond that a thread reaches its sandbox only. */
SEC("lsm/task_kill")
int BPF_PROG(pyi_task_kill, struct task_struct* target) {
  struct subject s;
  if (!current_subject(&s)) return 0;
  struct task_struct* current = (struct task_struct*)bpf_get_current_task_btf();
  if (BPF_CORE_READ(target, tgid) == BPF_CORE_READ(current, tgid) || same_sandbox(&s, target)) return 0;
  return refuse(&s, PYI_DO_KILL, EPERM);
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(pyi_ptrace_access, struct task_struct* child) {
  struct subject s;
  return current_subject(&s) ? refuse(&s, PYI_DO_PTRACE, EPERM) : 0;
}

SEC("lsm/ptrace_traceme")
int BPF_PROG(pyi_ptrace_traceme, struct task_struct* parent) {
  struct subject s;
  return current_subject(&s) ? refuse(&s, PYI_DO_PTRACE, EPERM) : 0;
}

SEC("lsm/bpf")
int BPF_PROG(pyi_bpf) {
  struct subject s;
  return current_subject(&s) ? refuse(&s, PYI_DO_BPF, EPERM) : 0;
}

SEC("lsm/sb_mount")
int BPF_PROG(pyi_sb_mount) {
  struct subject s;
  return current_subject(&s) ? refuse(&s, PYI_DO_MOUNT, EPERM) : 0;
}

SEC("lsm/sb_umount")
int BPF_PROG(pyi_sb_umount) {
  struct subject s;
  return current_subject(&s) ? refuse(&s, PYI_DO_MOUNT, EPERM) : 0;
}

SEC("lsm/sb_pivotroot")
int BPF_PROG(pyi_sb_pivotroot) {
  struct subject s;
  return current_subject(&s) ? refuse(&s, PYI_DO_MOUNT, EPERM) : 0;
}

/* Where fsmount(2) and open_tree(2) lead. */
SEC("lsm/move_mount")
int BPF_PROG(pyi_move_mount) {
  struct subject s;
  return current_subject(&s) ? refuse(&s, PYI_DO_MOUNT, EPERM) : 0;
}

#endif
