#pragma once

#include "kernel.h"

#include "../shared/abi.h"

// Which generation a policy is at. Mapped by the supervisor, whose reload is one store; a program reads it once.
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, PYI_SLOTS);
  __type(key, __u32);
  __type(value, __u64);
} pyi_current SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, PYI_GENERATIONS);
  __type(key, __u32);
  __type(value, struct pyi_generation);
} pyi_generations SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 65536);
  __type(key, struct pyi_net_key);
  __type(value, struct pyi_net);
} pyi_nets SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 65536);
  __type(key, __u64);
  __type(value, struct pyi_sandbox);
} pyi_sandboxes SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 20);
} pyi_events SEC(".maps");
