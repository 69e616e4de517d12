#pragma once

#include "maps.h"

// A task's label; gone with the task.
struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct pyi_task);
} pyi_tasks SEC(".maps");

// Room for what is too large for a program's stack. A task's own: programs can be preempted, so a CPU's wouldn't do.
struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct pyi_name_key);
} pyi_scratch SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 131072);
  __type(key, struct pyi_node_key);
  __type(value, struct pyi_node);
} pyi_nodes SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 65536);
  __type(key, struct pyi_name_key);
  __type(value, struct pyi_node);
} pyi_names SEC(".maps");

// A label for a thread that has no pidfd of its own (before Linux 6.9); see label.h.
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct pyi_task);
} pyi_wanted_label SEC(".maps");

// The contracts of each hook by generation. An array for each: the kernel keeps a program array to one hook.
#define PYI_CONTRACTS(hook)                \
  struct {                                 \
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
    __uint(max_entries, PYI_GENERATIONS);  \
    __type(key, __u32);                    \
    __type(value, __u32);                  \
  } pyi_on_##hook SEC(".maps")

PYI_CONTRACTS(open);
PYI_CONTRACTS(exec);
PYI_CONTRACTS(unlink);
PYI_CONTRACTS(rename);
PYI_CONTRACTS(mkdir);
PYI_CONTRACTS(connect);
PYI_CONTRACTS(bind);
PYI_CONTRACTS(sendto);
