#pragma once

#include "subject.h"

#define EVENTS_PER_SECOND 64
#define SECOND 1000000000ull

// Room for an event; none when the sandbox's denials come too fast or nobody reads them: then it is counted as lost.
// Two CPUs may both begin a window, which lets some more through.
static __always_inline struct pyi_event* begin_event(const struct subject* subject, __u32 operation, __u32 rule,
                                                     __u32 error) {
  struct pyi_sandbox* sandbox = subject->sandbox;
  if (!sandbox) return NULL;
  const __u64 now = bpf_ktime_get_ns();
  if (now - sandbox->window_ns > SECOND) {
    sandbox->window_ns = now;
    sandbox->window_events = 0;
  }
  if (__sync_fetch_and_add(&sandbox->window_events, 1) >= EVENTS_PER_SECOND) goto lost;
  struct pyi_event* event = bpf_ringbuf_reserve(&pyi_events, sizeof(struct pyi_event), 0);
  if (!event) goto lost;
  event->kind = PYI_EVENT_DENIAL;
  event->rule = rule;
  event->sandbox = subject->id;
  event->operation = operation;
  event->error = subject->flags & PYI_GENERATION_LOG_ONLY ? 0 : error;
  event->policy_generation = subject->number;
  event->lost = __sync_lock_test_and_set(&sandbox->lost, 0);
  event->ktime_ns = now;
  __builtin_memset(event->object, 0, sizeof event->object);
  return event;
lost:
  __sync_fetch_and_add(&sandbox->lost, 1);
  return NULL;
}

static __always_inline void end_event(struct pyi_event* event) { bpf_ringbuf_submit(event, 0); }

// What a hook returns for a denial.
static __always_inline int refusal(const struct subject* subject, int error) {
  return subject->flags & PYI_GENERATION_LOG_ONLY ? 0 : -error;
}

// A denial that is about no file or address.
static __always_inline int deny(const struct subject* subject, __u32 operation, int error) {
  struct pyi_event* event = begin_event(subject, operation, PYI_NO_RULE, error);
  if (event) end_event(event);
  return refusal(subject, error);
}
