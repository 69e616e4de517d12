/* The maps; the loader knows them by these names. */
#ifndef PYISOLATE_BPF_MAPS_H
#define PYISOLATE_BPF_MAPS_H

#include "kernel.h"

#define PYI_MAP SEC(".maps")

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, PYI_SANDBOXES);
  __type(key, __u32);
  __type(value, struct pyi_sandbox);
} sandboxes PYI_MAP;

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, PYI_SLOTS);
  __type(key, __u32);
  __type(value, struct pyi_policy);
} policies PYI_MAP;

/* By slot * PYI_NET_RULES + position. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, PYI_SLOTS* PYI_NET_RULES);
  __type(key, __u32);
  __type(value, struct pyi_net_rule);
} net_rules PYI_MAP;

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 20);
} events PYI_MAP;

#endif
