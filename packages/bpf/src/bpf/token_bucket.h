/* A limit on bytes a second, and what programs on packets answer. */
#ifndef PYISOLATE_BPF_TOKEN_BUCKET_H
#define PYISOLATE_BPF_TOKEN_BUCKET_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "layout.h"

#define PASS 1
#define DROP 0
/* Of egress: dropped, and the sender is told of congestion as by a full queue (NET_XMIT_DROP). */
#define DROP_CONGESTED 2
#define ATTEMPTS 4

/*
 * A token bucket, kept as the time by which what has passed is paid for (ATM Forum's virtual scheduling): one word, so
 * processors need no lock. One that loses the race for it too often drops: the peer sends it again. A debt that is
 * larger than the bucket was made under a slower rate: what was loosened needn't wait until it is over.
 */
static __always_inline int take(const struct pyi_rate* rate, struct pyi_usage* usage, __u32 bytes) {
  __u64 per_second = *(const volatile __u64*)&rate->bytes_per_second;
  __u64 now = bpf_ktime_get_ns();
  if (per_second == 0) {
    __sync_fetch_and_add(&usage->bytes, bytes);
    return 1;
  }
  __u64 full = now + *(const volatile __u64*)&rate->burst_ns;
  __u64 cost = (__u64)bytes * PYI_SECOND_NS / per_second;
#pragma unroll
  for (int i = 0; i < ATTEMPTS; i++) {
    __u64 paid = *(volatile __u64*)&usage->paid_until_ns;
    if (paid > full) {
      __sync_val_compare_and_swap(&usage->paid_until_ns, paid, full);
      break;
    }
    __u64 next = (paid > now ? paid : now) + cost;
    if (next > full) break;
    if (__sync_val_compare_and_swap(&usage->paid_until_ns, paid, next) == paid) {
      __sync_fetch_and_add(&usage->bytes, bytes);
      return 1;
    }
  }
  __sync_fetch_and_add(&usage->dropped, bytes);
  return 0;
}

#endif
