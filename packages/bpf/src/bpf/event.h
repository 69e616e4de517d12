/* Denials as records in the ring buffer, so many a second for each sandbox; the others are counted. */
#ifndef PYISOLATE_BPF_EVENT_H
#define PYISOLATE_BPF_EVENT_H

#include "label.h"

/* Room for one event of this sandbox, or NULL when it has had its share of this second or the buffer is full. */
static __always_inline struct pyi_event* begin_event(struct pyi_sandbox* sandbox) {
  __u64 now = bpf_ktime_get_ns();
  if (!sandbox) return bpf_ringbuf_reserve(&events, sizeof(struct pyi_event), 0);
  __sync_fetch_and_add(&sandbox->denied, 1);
  __u64 second = now / PYI_SECOND_NS;
  /* Two threads at the turn of a second may both start it anew: some events more, never one unseen. */
  if (sandbox->second != second) {
    sandbox->second = second;
    sandbox->events = 0;
  }
  struct pyi_event* event = NULL;
  if (__sync_fetch_and_add(&sandbox->events, 1) < PYI_EVENTS_PER_SECOND)
    event = bpf_ringbuf_reserve(&events, sizeof(struct pyi_event), 0);
  if (!event) {
    __sync_fetch_and_add(&sandbox->lost, 1);
    __sync_fetch_and_add(&sandbox->unreported, 1);
  }
  return event;
}

/* A function of its own, whose type is in the object's type information: a test compares it. */
static __noinline void fill_event(struct pyi_event* event, const struct subject* s, __u32 rule, __u32 operation,
                                  __u32 error) {
  event->kind = PYI_EVENT_DENIED;
  event->rule = rule;
  event->sandbox = s->task ? s->task->sandbox : 0;
  event->operation = operation;
  event->error = error;
  event->policy_generation = s->generation;
  event->lost = s->sandbox ? __sync_lock_test_and_set(&s->sandbox->unreported, 0) : 0;
  event->ktime_ns = bpf_ktime_get_ns();
  __builtin_memset(event->object, 0, sizeof(event->object));
}

/* A denial is an error, unless the policy only watches. A thread without a policy is denied whatever it does. */
static __always_inline int verdict(const struct subject* s, int error) {
  return has_policy(s) && (s->policy_flags & PYI_POLICY_LOG_ONLY) ? 0 : -error;
}

/* Denies what has no object. */
static __always_inline int refuse(const struct subject* s, __u32 operation, int error) {
  struct pyi_event* event = begin_event(s->sandbox);
  if (event) {
    fill_event(event, s, PYI_NO_RULE, operation, error);
    bpf_ringbuf_submit(event, 0);
  }
  return verdict(s, error);
}

#endif
