/*
 * Memory that a decision needs beside the stack. It belongs to the thread: a processor's own would be shared with
 * whichever program another thread runs after a preemption. That its values come from a map keeps the verifier from
 * following each of them through every turn of a loop.
 */
#ifndef PYISOLATE_BPF_SCRATCH_H
#define PYISOLATE_BPF_SCRATCH_H

#include "label.h"
#include "place.h"

#define LONGEST_NAME 255 /* NAME_MAX */

struct walk {
  struct place place;
  __u32 slot;
  __u32 below; /* 0: at the file itself, 1: at an ancestor */
  __u32 complete;
  __u32 forbidden; /* on procfs */
  __u32 allow[PYI_OPS];
  __u32 deny[2];
  __u64 bits;
};

struct writing {
  struct place place;
  __u64 start;
  char bytes[PYI_OBJECT_BYTES + LONGEST_NAME + 1]; /* written from PYI_OBJECT_BYTES backwards */
};

struct scratch {
  struct walk walk;
  struct writing writing;
};

struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct scratch);
} scratches PYI_MAP;

/* NULL when there is no memory left: the caller denies. */
static __always_inline struct scratch* current_scratch(void) {
  struct task_struct* current = (struct task_struct*)bpf_get_current_task_btf();
  return bpf_task_storage_get(&scratches, current, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

#endif
