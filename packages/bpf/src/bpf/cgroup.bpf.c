/*
 * Rules on addresses for whatever runs in a control group, for kernels without BPF LSM (Linux 5.18), and what its
 * sockets may carry. Files, Unix sockets and listening on an unbound socket have no hook here.
 */
#include "addresses.h"
#include "event.h"
#include "token_bucket.h"

#define SOCK_STREAM 1
#define SOCK_DGRAM 2

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

SEC("cgroup_skb/ingress")
int pyi_ingress(struct __sk_buff* skb) {
  struct pyi_group* group = bpf_get_local_storage(&groups, 0);
  return take(&group->in.rate, &group->in.usage, skb->len) ? PASS : DROP;
}

SEC("cgroup_skb/egress")
int pyi_egress(struct __sk_buff* skb) {
  struct pyi_group* group = bpf_get_local_storage(&groups, 0);
  return take(&group->out.rate, &group->out.usage, skb->len) ? PASS : DROP_CONGESTED;
}

char LICENSE[] SEC("license") = "GPL";
