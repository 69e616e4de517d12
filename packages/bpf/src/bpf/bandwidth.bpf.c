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

SEC("cgroup_skb/ingress")
int pyi_socket_in(struct __sk_buff* skb) {
  struct account account = {};
  if (!find_account(skb, &account)) return PASS;
  if (!account.bandwidth || !account.traffic) return DROP;
  return take(&account.bandwidth->in, &account.traffic->in, skb->len) ? PASS : DROP;
}

SEC("cgroup_skb/egress")
int pyi_socket_out(struct __sk_buff* skb) {
  struct account account = {};
  if (!find_account(skb, &account)) return PASS;
  if (!account.bandwidth || !account.traffic) return DROP;
  return take(&account.bandwidth->out, &account.traffic->out, skb->len) ? PASS : DROP_CONGESTED;
}

char LICENSE[] SEC("license") = "GPL";
