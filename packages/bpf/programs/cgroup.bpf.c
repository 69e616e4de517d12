// Rules on addresses for the tasks of a control group, for kernels without BPF LSM (Linux 6.1). A denial is EACCES there
// too. What has no hook here (listen without bind, Unix sockets, files) is other mechanisms' business.
#include "net-check.h"

// What a group's programs decide by; zeros until the supervisor has filled it, which denies.
struct {
  __uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
  __type(key, __u64);
  __type(value, struct pyi_cgroup);
} pyi_cgroups SEC(".maps");

static __always_inline struct subject group(void) {
  const struct pyi_cgroup* label = bpf_get_local_storage(&pyi_cgroups, 0);
  struct subject subject = {};
  find_policy(&subject, label->sandbox, label->policy_slot);
  return subject;
}

// 1: go on; 0: refuse, with the error that was set.
static __always_inline int verdict(int result) {
  if (result == 0) return 1;
  bpf_set_retval(result);
  return 0;
}

static __always_inline int judge(const struct bpf_sock_addr* context, __u8 family, __u32 op) {
  const struct subject subject = group();
  struct address address = {.family = family, .protocol = context->protocol, .port = bpf_ntohs(context->user_port)};
  if (family == 4) {
    address.words[0] = context->user_ip4;
  } else {
    address.words[0] = context->user_ip6[0];
    address.words[1] = context->user_ip6[1];
    address.words[2] = context->user_ip6[2];
    address.words[3] = context->user_ip6[3];
    unmap(&address);
  }
  if (subject.sandbox && op == OP_CONNECT) __sync_fetch_and_add(&subject.sandbox->connects, 1);
  return verdict(check_address(&subject, &address, op));
}

SEC("cgroup/connect4")
int pyi_connect4(struct bpf_sock_addr* context) { return judge(context, 4, OP_CONNECT); }

SEC("cgroup/connect6")
int pyi_connect6(struct bpf_sock_addr* context) { return judge(context, 6, OP_CONNECT); }

SEC("cgroup/sendmsg4")
int pyi_sendmsg4(struct bpf_sock_addr* context) { return judge(context, 4, OP_SENDTO); }

SEC("cgroup/sendmsg6")
int pyi_sendmsg6(struct bpf_sock_addr* context) { return judge(context, 6, OP_SENDTO); }

SEC("cgroup/bind4")
int pyi_bind4(struct bpf_sock_addr* context) { return judge(context, 4, OP_BIND); }

SEC("cgroup/bind6")
int pyi_bind6(struct bpf_sock_addr* context) { return judge(context, 6, OP_BIND); }

// Plain TCP and UDP: raw sockets write their own addresses, multipath TCP may add peers by itself.
SEC("cgroup/sock_create")
int pyi_sock_create(struct bpf_sock* context) {
  const struct subject subject = group();
  const __u32 type = context->type;
  const __u32 protocol = context->protocol;
  const __u32 tcp = type == SOCK_STREAM && protocol == PROTO_TCP ? PYI_GENERATION_TCP : 0;
  const __u32 udp = type == SOCK_DGRAM && protocol == PROTO_UDP ? PYI_GENERATION_UDP : 0;
  if (subject.flags & (tcp | udp)) return 1;
  return verdict(deny(&subject, PYI_SOCKET, EACCES));
}

char pyi_license[] SEC("license") = "Dual MIT/GPL";
