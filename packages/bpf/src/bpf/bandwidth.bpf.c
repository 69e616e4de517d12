/*
 * What the sockets of a sandbox may carry, all of them together, each direction by itself. A socket is known by what its
 * maker has stored in it, not by who holds it: a broker's are in the broker's own control group, where these programs
 * are attached. Kernels from 5.12 on, with or without type information of their own: nothing here is relocated.
 */
#include "sockets.h"
#include "token_bucket.h"

/* A reload is one update of a value here, which is copied word by word (array_map_update_elem). */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, PYI_SANDBOXES);
  __type(key, __u32);
  __type(value, struct pyi_bandwidth);
} bandwidths SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, PYI_SANDBOXES);
  __type(key, __u32);
  __type(value, struct pyi_traffic);
} traffics SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 16);
} events SEC(".maps");

struct account {
  const struct pyi_bandwidth* bandwidth;
  struct pyi_traffic* traffic;
};

/* Whether a packet is a sandbox's; NULL: of one that has ended, and whose place another one has taken since. */
static __always_inline int find_account(struct __sk_buff* skb, struct account* account) {
  struct bpf_sock* sk = skb->sk;
  if (!sk) return 0;
  sk = bpf_sk_fullsock(sk);
  if (!sk) return 0;
  const struct pyi_socket* socket = bpf_sk_storage_get(&sockets, sk, 0, 0);
  if (!socket) return 0;
  __u32 index = socket->index;
  account->bandwidth = bpf_map_lookup_elem(&bandwidths, &index);
  account->traffic = bpf_map_lookup_elem(&traffics, &index);
  if (account->bandwidth && account->bandwidth->sandbox != socket->sandbox) account->bandwidth = NULL;
  return 1;
}

/* A function of its own, whose type is in the object's type information: a test compares it. */
static __noinline void fill_limit(struct pyi_limit_event* event, __u64 sandbox, __u32 out, __u64 lost) {
  event->kind = PYI_EVENT_LIMIT;
  event->out = out;
  event->sandbox = sandbox;
  event->lost = lost;
}

/* Of processors that find it due at once, one tells. */
static __always_inline void tell_limit(__u64 sandbox, struct pyi_notice* notice, __u32 out) {
  struct pyi_limit_event* event = NULL;
  __u64 now = bpf_ktime_get_ns(), told = *(volatile __u64*)&notice->told_ns;
  int due = told == 0 || now - told >= PYI_SECOND_NS;
  if (due && __sync_val_compare_and_swap(&notice->told_ns, told, now) == told)
    event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) {
    __sync_fetch_and_add(&notice->untold, 1);
    return;
  }
  fill_limit(event, sandbox, out, __sync_lock_test_and_set(&notice->untold, 0));
  bpf_ringbuf_submit(event, 0);
}

SEC("cgroup_skb/ingress")
int pyi_socket_in(struct __sk_buff* skb) {
  struct account account = {};
  if (!find_account(skb, &account)) return PASS;
  if (!account.bandwidth || !account.traffic) return DROP;
  if (take(&account.bandwidth->in, &account.traffic->in, skb->len)) return PASS;
  tell_limit(account.bandwidth->sandbox, &account.traffic->in_notice, 0);
  return DROP;
}

SEC("cgroup_skb/egress")
int pyi_socket_out(struct __sk_buff* skb) {
  struct account account = {};
  if (!find_account(skb, &account)) return PASS;
  if (!account.bandwidth || !account.traffic) return DROP;
  if (take(&account.bandwidth->out, &account.traffic->out, skb->len)) return PASS;
  tell_limit(account.bandwidth->sandbox, &account.traffic->out_notice, 1);
  return DROP_CONGESTED;
}

char LICENSE[] SEC("license") = "GPL";
