/* Who is asking: the label of the current thread, its sandbox and the policy in force. */
#ifndef PYISOLATE_BPF_LABEL_H
#define PYISOLATE_BPF_LABEL_H

#include "errors.h"
#include "maps.h"

struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct pyi_task);
} tasks PYI_MAP;

/* Everything that one decision is made from. */
struct subject {
  struct pyi_task* task;
  struct pyi_sandbox* sandbox; /* NULL: the label names none */
  __u32 slot;
  __u32 generation;
  __u32 policy_flags; /* 0: there is no policy in the slot */
  __u32 contract_hooks;
  __u32 net_rules;
};

/* What a label leads to. The slot is read once: one decision is of one generation. `s` is zeroed. */
static __always_inline void find_policy(struct subject* s, struct pyi_task* task) {
  s->task = task;
  __u32 index = task->index;
  struct pyi_sandbox* sandbox = bpf_map_lookup_elem(&sandboxes, &index);
  if (!sandbox || sandbox->id != task->sandbox) return;
  s->sandbox = sandbox;
  __u64 active = *(volatile __u64*)&sandbox->active;
  s->slot = (__u32)active;
  s->generation = (__u32)(active >> 32);
  struct pyi_policy* policy = bpf_map_lookup_elem(&policies, &s->slot);
  if (!policy || s->slot == 0) return;
  s->policy_flags = policy->flags;
  s->contract_hooks = policy->contract_hooks;
  s->net_rules = policy->net_rules;
}

/* Whether the current thread is labelled. */
static __always_inline int current_subject(struct subject* s) {
  struct task_struct* current = (struct task_struct*)bpf_get_current_task_btf();
  struct pyi_task* task = bpf_task_storage_get(&tasks, current, NULL, 0);
  if (!task) return 0;
  __builtin_memset(s, 0, sizeof(*s));
  find_policy(s, task);
  return 1;
}

/* Whether another thread is of the current one's sandbox. */
static __always_inline int same_sandbox(const struct subject* s, struct task_struct* other) {
  struct pyi_task* task = bpf_task_storage_get(&tasks, other, NULL, 0);
  return task && task->sandbox == s->task->sandbox;
}

static __always_inline int has_policy(const struct subject* s) { return s->policy_flags & PYI_POLICY_READY; }

#endif
