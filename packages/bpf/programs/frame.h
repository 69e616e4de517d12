// The contract frame: what a hook's contracts are told, in the task's own storage.
#pragma once

#include "label.h"

#define MILLISECOND 1000000ull

// Counters first; the hook then adds what it knows.
static __always_inline void begin_frame(struct pyi_task* task, const struct pyi_sandbox* sandbox) {
  task->opens = sandbox->opens;
  task->connects = sandbox->connects;
  task->sends = sandbox->sends;
  task->bytes_sent = sandbox->bytes_sent;
  task->bytes_received = sandbox->bytes_received;
  task->elapsed_ms = (bpf_ktime_get_ns() - task->started_ns) / MILLISECOND;
  task->writes = 0;
  task->dst_port = 0;
  task->size = 0;
  task->path_bits = 0;
  task->dst_family = 0;
  __builtin_memset(task->dst_addr, 0, sizeof task->dst_addr);
}

static __always_inline void count(__u64* counter, __u64 more) { __sync_fetch_and_add(counter, more); }
