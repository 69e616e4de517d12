// Who is judged, and by what: found once at the start of every hook.
#pragma once

#include "maps.h"

struct subject {
  __u64 id;
  struct pyi_sandbox* sandbox;
  __u32 generation;
  __u32 flags;
  __u32 number;
  __u32 nets;
};

// A label whose policy or sandbox can't be found leaves the subject as it is, with generation 0: nothing is allowed.
static __always_inline void find_policy(struct subject* subject, __u64 id, __u32 slot) {
  subject->id = id;
  subject->sandbox = bpf_map_lookup_elem(&pyi_sandboxes, &id);
  const __u64* current = bpf_map_lookup_elem(&pyi_current, &slot);
  if (!current || !subject->sandbox) return;
  const __u32 generation = *(const volatile __u64*)current;
  const struct pyi_generation* found = bpf_map_lookup_elem(&pyi_generations, &generation);
  if (!found || !(found->flags & PYI_GENERATION_READY)) return;
  subject->generation = generation;
  subject->flags = found->flags;
  subject->number = found->number;
  subject->nets = found->nets;
}
