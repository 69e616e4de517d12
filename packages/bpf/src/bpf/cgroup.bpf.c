/*
 * Rules on addresses for whatever runs in a control group, for kernels without BPF LSM (Linux 5.18), and what its
 * sockets may carry. Files, Unix sockets and listening on an unbound socket have no hook here.
 */
#include "addresses.h"
#include "event.h"

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define PASS 1
#define DROP 0
/* Of egress: dropped, and the sender is told of congestion as by a full queue (NET_XMIT_DROP). */
#define DROP_CONGESTED 2
#define ATTEMPTS 4

/* What a group's programs decide by. Zeros, until the supervisor has filled it: denied. */
struct {
  __uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
  __type(key, __u64);
  __type(value, struct pyi_group);
} groups PYI_MAP;

static __always_inline void group_subject(struct subject* s, struct pyi_task* task) {
  const struct pyi_group* group = bpf_get_local_storage(&groups, 0);
  __builtin_memset(s, 0, sizeof(*s));
  __builtin_memset(task, 0, sizeof(*task));
  task->sandbox = group->sandbox;
  task->index = group->index;
  find_policy(s, task);
}

static __always_inline int answer(int error) {
  if (error == 0) return PASS;
  bpf_set_retval(error);
  return DROP;
}

static __always_inline int judge_address(struct bpf_sock_addr* ctx, __u32 family, __u32 op, __u32 operation) {
  struct pyi_task task;
  struct subject s;
  group_subject(&s, &task);
  struct peer peer = {.family = family, .protocol = ctx->protocol, .port = bpf_ntohs(ctx->user_port), .op = op};
  if (family == 4) {
    peer.address[0] = ctx->user_ip4;
  } else {
    __u32* words = (__u32*)peer.address;
    words[0] = ctx->user_ip6[0];
    words[1] = ctx->user_ip6[1];
    words[2] = ctx->user_ip6[2];
    words[3] = ctx->user_ip6[3];
    unmap(&peer);
  }
  if (op != PYI_BIND) to_destination(&peer);
  __u32 rule = PYI_NO_RULE;
  if (has_policy(&s) && allows_peer(peer, s.slot, s.net_rules, &rule)) return PASS;
  return answer(refuse_peer(&s, &peer, family == 4 ? AF_INET : AF_INET6, rule, operation));
}

SEC("cgroup/connect4")
int pyi_connect4(struct bpf_sock_addr* ctx) { return judge_address(ctx, 4, PYI_CONNECT, PYI_DO_CONNECT); }

SEC("cgroup/connect6")
int pyi_connect6(struct bpf_sock_addr* ctx) { return judge_address(ctx, 6, PYI_CONNECT, PYI_DO_CONNECT); }

SEC("cgroup/sendmsg4")
int pyi_sendmsg4(struct bpf_sock_addr* ctx) { return judge_address(ctx, 4, PYI_SENDTO, PYI_DO_SENDTO); }

SEC("cgroup/sendmsg6")
int pyi_sendmsg6(struct bpf_sock_addr* ctx) { return judge_address(ctx, 6, PYI_SENDTO, PYI_DO_SENDTO); }

SEC("cgroup/bind4")
int pyi_bind4(struct bpf_sock_addr* ctx) { return judge_address(ctx, 4, PYI_BIND, PYI_DO_BIND); }

SEC("cgroup/bind6")
int pyi_bind6(struct bpf_sock_addr* ctx) { return judge_address(ctx, 6, PYI_BIND, PYI_DO_BIND); }

/* Asked of sockets of the Internet families alone. */
SEC("cgroup/sock_create")
int pyi_sock_create(struct bpf_sock* ctx) {
  struct pyi_task task;
  struct subject s;
  group_subject(&s, &task);
  __u32 protocol = ctx->protocol;
  if (has_policy(&s)) {
    if (ctx->type == SOCK_STREAM && protocol == IPPROTO_TCP) return PASS;
    if (ctx->type == SOCK_DGRAM && protocol == IPPROTO_UDP) return PASS;
  }
  struct peer peer = {.protocol = (__u8)protocol};
  return answer(refuse_peer(&s, &peer, ctx->family, PYI_NO_RULE, PYI_DO_SOCKET));
}

/*
 * A token bucket, kept as the time by which what has passed is paid for (ATM Forum's virtual scheduling): one word, so
 * processors need no lock. One that loses the race for it too often drops: the peer sends it again.
 */
static __always_inline int meter(struct pyi_meter* meter, __u32 bytes) {
  __u64 per_second = meter->bytes_per_second;
  __u64 now = bpf_ktime_get_ns();
  if (per_second == 0) {
    __sync_fetch_and_add(&meter->bytes, bytes);
    return 1;
  }
  __u64 cost = (__u64)bytes * NANOSECONDS / per_second;
#pragma unroll
  for (int i = 0; i < ATTEMPTS; i++) {
    __u64 paid = *(volatile __u64*)&meter->paid_until_ns;
    __u64 next = (paid > now ? paid : now) + cost;
    if (next > now + meter->burst_ns) break;
    if (__sync_val_compare_and_swap(&meter->paid_until_ns, paid, next) == paid) {
      __sync_fetch_and_add(&meter->bytes, bytes);
      return 1;
    }
  }
  __sync_fetch_and_add(&meter->dropped, bytes);
  return 0;
}

SEC("cgroup_skb/ingress")
int pyi_ingress(struct __sk_buff* skb) {
  struct pyi_group* group = bpf_get_local_storage(&groups, 0);
  return meter(&group->in, skb->len) ? PASS : DROP;
}

SEC("cgroup_skb/egress")
int pyi_egress(struct __sk_buff* skb) {
  struct pyi_group* group = bpf_get_local_storage(&groups, 0);
  return meter(&group->out, skb->len) ? PASS : DROP_CONGESTED;
}

char LICENSE[] SEC("license") = "GPL";
