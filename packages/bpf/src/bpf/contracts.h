/*
 * Contracts: what a policy demands beside its rules, as a program of its own for each hook and slot. The base program
 * fills the frame in the thread's label and ends in that program.
 */
#ifndef PYISOLATE_BPF_CONTRACTS_H
#define PYISOLATE_BPF_CONTRACTS_H

#include "event.h"

#define CONTRACTS(hook)                    \
  struct {                                 \
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
    __uint(max_entries, PYI_SLOTS);        \
    __uint(key_size, sizeof(__u32));       \
    __uint(value_size, sizeof(__u32));     \
  } contracts_##hook PYI_MAP

CONTRACTS(open);
CONTRACTS(exec);
CONTRACTS(unlink);
CONTRACTS(rename);
CONTRACTS(mkdir);
CONTRACTS(connect);
CONTRACTS(bind);
CONTRACTS(sendto);

/* Counted with the operation that is judged; once it is permitted by the rules. */
static __always_inline __u64 count(__u64* counter, __u64 more) { return __sync_fetch_and_add(counter, more) + more; }

/* Counters as they are, operands of this operation as nothing. */
static __always_inline struct pyi_task* begin_frame(const struct subject* s) {
  struct pyi_task* frame = s->task;
  frame->policy_slot = s->slot;
  frame->writes = 0;
  frame->dst_port = 0;
  frame->size = 0;
  __builtin_memset(frame->dst_addr, 0, sizeof(frame->dst_addr));
  frame->dst_family = 0;
  if (!s->sandbox) return frame;
  frame->opens = s->sandbox->opens;
  frame->connects = s->sandbox->connects;
  frame->sends = s->sandbox->sends;
  frame->bytes_sent = s->sandbox->bytes_sent;
  frame->bytes_received = s->sandbox->bytes_received;
  frame->elapsed_ms = (bpf_ktime_get_ns() - s->sandbox->started_ns) / 1000000;
  return frame;
}

/* The last statement of a hook. A contract that should be there and isn't is a denial. */
#define END_IN_CONTRACT(ctx, s, map, operation)              \
  do {                                                       \
    if (!((s)->contract_hooks & 1 << (operation))) return 0; \
    bpf_tail_call(ctx, &map, (s)->slot);                     \
    return refuse(s, operation, EPERM);                      \
  } while (0)

#endif
