// Labels of tasks: found at every hook, inherited by children, and given to threads that have no pidfd.
#pragma once

#include "lsm-maps.h"
#include "subject.h"

// The current task's label. A task without one costs this one look-up.
static __always_inline struct pyi_task* current_label(void) {
  return bpf_task_storage_get(&pyi_tasks, bpf_get_current_task_btf(), NULL, 0);
}

static __always_inline struct subject subject_of(const struct pyi_task* task) {
  struct subject subject = {};
  find_policy(&subject, task->sandbox, task->policy_slot);
  return subject;
}

// Threads and processes inherit. One that can't be labelled isn't made.
SEC("lsm/task_alloc")
int BPF_PROG(pyi_task_alloc, struct task_struct* task, unsigned long clone_flags) {
  const struct pyi_task* parent = current_label();
  if (!parent) return 0;
  struct pyi_task* child = bpf_task_storage_get(&pyi_tasks, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!child) return -ENOMEM;
  __builtin_memcpy(child, parent, sizeof *child);
  return 0;
}

struct bpf_iter__task {
  struct bpf_iter_meta* meta;
  struct task_struct* task;
} __attribute__((preserve_access_index));

// Run once, for the one thread that the supervisor made the iterator for.
SEC("iter/task")
int pyi_label_thread(struct bpf_iter__task* context) {
  struct task_struct* task = context->task;
  const __u32 first = 0;
  const struct pyi_task* wanted = bpf_map_lookup_elem(&pyi_wanted_label, &first);
  if (!task || !wanted) return 0;
  struct pyi_task* label = bpf_task_storage_get(&pyi_tasks, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (label) __builtin_memcpy(label, wanted, sizeof *label);
  return 0;
}
