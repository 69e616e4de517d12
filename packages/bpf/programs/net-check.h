// The check of addresses: by the kernel's LSM hooks and by control groups alike.
#pragma once

#include "events.h"

#define OP_CONNECT 1
#define OP_BIND 2
#define OP_SENDTO 4

struct address {
  __u32 words[4];  // network order, IPv4 in the first
  __u16 port;      // the machine's order
  __u8 family;     // 4 or 6
  __u8 protocol;
};

struct net_search {
  const struct address* address;
  __u32 generation;
  __u32 ops;
  __u32 rule;
  bool deny;
};

// IPv4 mapped into IPv6 (RFC 4291, 2.5.5.2) leads to IPv4.
static __always_inline void unmap(struct address* address) {
  if (address->family != 6 || address->words[0] || address->words[1] || address->words[2] != bpf_htonl(0xffff)) return;
  address->words[0] = address->words[3];
  address->words[2] = address->words[3] = 0;
  address->family = 4;
}

// Port 0 is any port: for an allow rule all of them must be meant, for a denial one.
static __always_inline bool fits_port(const struct pyi_net* net, __u16 port) {
  if (port != 0) return net->port_from <= port && port <= net->port_to;
  return (net->flags & PYI_NET_DENY) || (net->port_from <= 1 && net->port_to == 65535);
}

static long try_net(__u32 index, struct net_search* search) {
  const struct pyi_net_key key = {search->generation, index};
  const struct pyi_net* net = bpf_map_lookup_elem(&pyi_nets, &key);
  if (!net) return 1;
  const struct address* address = search->address;
  if (!(net->ops & search->ops) || net->protocol != address->protocol || net->family != address->family) return 0;
  if ((address->words[0] & net->mask[0]) != net->address[0] || (address->words[1] & net->mask[1]) != net->address[1] ||
      (address->words[2] & net->mask[2]) != net->address[2] || (address->words[3] & net->mask[3]) != net->address[3])
    return 0;
  if (!fits_port(net, address->port)) return 0;
  search->rule = net->rule;
  search->deny = net->flags & PYI_NET_DENY;
  return 1;
}

static __always_inline __u32 operation_of(__u32 op) {
  return op == OP_CONNECT ? PYI_CONNECT : op == OP_BIND ? PYI_BIND : PYI_SENDTO;
}

static __always_inline void name_address(struct pyi_event* event, const struct address* address) {
  struct pyi_peer* peer = (struct pyi_peer*)event->object;
  peer->family = address->family;
  peer->protocol = address->protocol;
  peer->port = address->port;
  __builtin_memcpy(peer->address, address->words, sizeof peer->address);
}

static __always_inline int check_address(const struct subject* subject, const struct address* address, __u32 op) {
  struct net_search search = {
      .address = address,
      .generation = subject->generation,
      .ops = op,
      .rule = PYI_NO_RULE,
      .deny = true,
  };
  bpf_loop(subject->nets, try_net, &search, 0);
  if (!search.deny) return 0;
  struct pyi_event* event = begin_event(subject, operation_of(op), search.rule, EACCES);
  if (event) {
    name_address(event, address);
    end_event(event);
  }
  return refusal(subject, EACCES);
}
