/* Decides about an Internet address by the rules of a slot; for LSM and control group programs alike. */
#ifndef PYISOLATE_BPF_ADDRESSES_H
#define PYISOLATE_BPF_ADDRESSES_H

#include "event.h"

/* socket.h, in.h */
#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17

/* As rules have it: IPv4 in the first four bytes, the rest 0. */
struct peer {
  __u64 address[2];
  __u32 family; /* 4, 6 */
  __u32 protocol;
  __u32 port;
  __u32 op; /* of enum pyi_net_op */
};

struct search {
  struct peer peer;
  __u32 slot;
  __u32 rules;
  __u32 allow;
  __u32 deny;
};

/* ::ffff:a.b.c.d is a.b.c.d (RFC 4291, 2.5.5.2). */
static __always_inline void unmap(struct peer* peer) {
  __u32* words = (__u32*)peer->address;
  if (peer->family != 6 || peer->address[0] != 0 || words[2] != bpf_htonl(0xffff)) return;
  peer->address[0] = words[3];
  peer->address[1] = 0;
  peer->family = 4;
}

/* Nothing is sent to no address but to oneself (RFC 1122, 3.2.1.3): Linux takes the loopback address. */
static __always_inline void to_destination(struct peer* peer) {
  if (peer->address[0] || peer->address[1]) return;
  if (peer->family == 4)
    peer->address[0] = bpf_htonl(0x7f000001);
  else
    peer->address[1] = bpf_cpu_to_be64(1);
}

static long compare_rule(__u32 position, struct search* search) {
  if (position >= search->rules) return 1;
  __u32 key = search->slot * PYI_NET_RULES + position;
  struct pyi_net_rule* rule = bpf_map_lookup_elem(&net_rules, &key);
  if (!rule) return 1;
  const struct peer* peer = &search->peer;
  if (rule->protocol != peer->protocol || rule->family != peer->family || !(rule->ops & peer->op)) return 0;
  if ((peer->address[0] & rule->mask[0]) != rule->address[0]) return 0;
  if ((peer->address[1] & rule->mask[1]) != rule->address[1]) return 0;
  __u32 from = rule->port_from, to = rule->port_to, port = peer->port;
  /* Port 0: the kernel chooses one, so all must be allowed, and one denied is enough. */
  if (port == 0 ? !rule->deny && (from != 1 || to != 65535) : port < from || port > to) return 0;
  if (rule->deny) {
    if (rule->rule < search->deny) search->deny = rule->rule;
  } else if (rule->rule < search->allow) {
    search->allow = rule->rule;
  }
  return 0;
}

/* Whether it is allowed; `rule`: what denies it. */
static __always_inline int allows_peer(struct peer peer, __u32 slot, __u32 rules, __u32* rule) {
  struct search search = {.peer = peer, .slot = slot, .rules = rules, .allow = PYI_NO_RULE, .deny = PYI_NO_RULE};
  bpf_loop(PYI_NET_RULES, compare_rule, &search, 0);
  *rule = search.deny;
  return search.deny == PYI_NO_RULE && search.allow != PYI_NO_RULE;
}

static __noinline void write_peer(struct pyi_address* address, const struct peer* peer, __u32 af) {
  address->family = peer->family;
  address->protocol = peer->protocol;
  address->port = peer->port;
  address->af = af;
  __builtin_memcpy(address->address, peer->address, sizeof(address->address));
}

static __always_inline int refuse_peer(const struct subject* s, const struct peer* peer, __u32 af, __u32 rule,
                                       __u32 operation) {
  struct pyi_event* event = begin_event(s->sandbox);
  if (event) {
    fill_event(event, s, rule, operation, EACCES);
    write_peer((struct pyi_address*)event->object, peer, af);
    bpf_ringbuf_submit(event, 0);
  }
  return verdict(s, EACCES);
}

#endif
