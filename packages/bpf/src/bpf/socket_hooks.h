/* Sockets of the Internet families. */
#ifndef PYISOLATE_BPF_SOCKET_HOOKS_H
#define PYISOLATE_BPF_SOCKET_HOOKS_H

#include "addresses.h"
#include "socket_owner.h"
#include "unix_names.h"

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_TYPE_MASK 0xf

/* A socket address, copied once: sockaddr_in, sockaddr_in6 (in.h), sockaddr_un (un.h). */
struct raw_address {
  __u16 family;
  __be16 port;
  union {
    __be32 in4;
    struct {
      __be32 flow;
      __u64 in6[2];
    } __attribute__((packed)) v6;
  } __attribute__((packed));
} __attribute__((packed));

#define IN_BYTES 8
#define IN6_BYTES 24

/* Fills `peer` from what a call was given; 0 when it is no Internet address. */
static __always_inline int read_peer(struct peer* peer, const void* address, __u32 length, __u32 family) {
  struct raw_address raw = {};
  if (family == AF_INET && length >= IN_BYTES && !bpf_probe_read_kernel(&raw, IN_BYTES, address)) {
    peer->family = 4;
    peer->address[0] = raw.in4;
  } else if (family == AF_INET6 && length >= IN6_BYTES && !bpf_probe_read_kernel(&raw, IN6_BYTES, address)) {
    peer->family = 6;
    peer->address[0] = raw.v6.in6[0];
    peer->address[1] = raw.v6.in6[1];
    unmap(peer);
  } else {
    return 0;
  }
  peer->port = bpf_ntohs(raw.port);
  return 1;
}

static __always_inline void frame_peer(struct pyi_task* frame, const struct peer* peer) {
  __u32* words = (__u32*)frame->dst_addr;
  frame->dst_family = peer->family;
  frame->dst_port = peer->port;
  if (peer->family == 4) {
    words[2] = bpf_htonl(0xffff);
    words[3] = (__u32)peer->address[0];
  } else {
    __builtin_memcpy(frame->dst_addr, peer->address, sizeof(frame->dst_addr));
  }
}

static __always_inline int judge_peer(struct subject* s, const struct peer* peer, __u32 af, __u32 operation) {
  __u32 rule = PYI_NO_RULE;
  if (has_policy(s) && peer->family && allows_peer(*peer, s->slot, s->net_rules, &rule)) return 0;
  return refuse_peer(s, peer, af, rule, operation);
}

/* Whatever isn't plain TCP, UDP or Unix would be a way around the rules: raw, MPTCP, SCTP, packet, netlink sockets. */
SEC("lsm/socket_create")
int BPF_PROG(pyi_socket_create, int family, int type, int protocol, int kern) {
  struct subject s;
  if (kern || !current_subject(&s)) return 0;
  int kind = type & SOCK_TYPE_MASK;
  if (has_policy(&s)) {
    if (family == AF_UNIX) return 0;
    if (family == AF_INET || family == AF_INET6) {
      if (kind == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP)) return 0;
      if (kind == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP)) return 0;
    }
  }
  struct peer peer = {.protocol = (__u8)protocol};
  return refuse_peer(&s, &peer, family, PYI_NO_RULE, PYI_DO_SOCKET);
}

SEC("lsm/socket_connect")
int BPF_PROG(pyi_connect, struct socket* sock, struct sockaddr* address, int length) {
  struct subject s;
  if (!current_subject(&s)) return 0;
  __u32 af = BPF_CORE_READ(address, sa_family);
  struct peer peer = {.protocol = BPF_CORE_READ(sock, sk, sk_protocol), .op = PYI_CONNECT};
  int error = 0;
  if (af == AF_UNSPEC && has_policy(&s)) return 0; /* ends a connection, connect(2) */
  if (af == AF_UNIX) {
    error = judge_unix_name(&s, address, length, PYI_UNIX_CONNECT, PYI_DO_CONNECT);
  } else {
    if (read_peer(&peer, address, length, af)) to_destination(&peer);
    error = judge_peer(&s, &peer, af, PYI_DO_CONNECT);
  }
  if (error) return error;
  if (s.sandbox) count(&s.sandbox->connects, 1);
  struct pyi_task* frame = begin_frame(&s);
  if (peer.family) frame_peer(frame, &peer);
  END_IN_CONTRACT(ctx, &s, contracts_connect, PYI_DO_CONNECT);
}

SEC("lsm/socket_bind")
int BPF_PROG(pyi_bind, struct socket* sock, struct sockaddr* address, int length) {
  struct subject s;
  if (!current_subject(&s)) return 0;
  __u32 af = BPF_CORE_READ(address, sa_family);
  struct peer peer = {.protocol = BPF_CORE_READ(sock, sk, sk_protocol), .op = PYI_BIND};
  int error = 0;
  if (af == AF_UNIX) {
    error = judge_unix_name(&s, address, length, PYI_UNIX_BIND, PYI_DO_BIND);
  } else {
    /* An IPv4 socket takes an unspecified family for its own (inet_bind). */
    if (af == AF_UNSPEC) af = BPF_CORE_READ(sock, sk, __sk_common.skc_family);
    read_peer(&peer, address, length, af);
    error = judge_peer(&s, &peer, af, PYI_DO_BIND);
  }
  if (error) return error;
  struct pyi_task* frame = begin_frame(&s);
  if (peer.family) frame_peer(frame, &peer);
  END_IN_CONTRACT(ctx, &s, contracts_bind, PYI_DO_BIND);
}

/* A socket that isn't bound is bound to any port of every address by listen(2). */
SEC("lsm/socket_listen")
int BPF_PROG(pyi_listen, struct socket* sock) {
  struct subject s;
  if (!current_subject(&s)) return 0;
  struct sock* sk = BPF_CORE_READ(sock, sk);
  __u32 af = BPF_CORE_READ(sk, __sk_common.skc_family);
  if (!has_policy(&s)) return refuse(&s, PYI_DO_LISTEN, EACCES);
  if ((af != AF_INET && af != AF_INET6) || BPF_CORE_READ(sk, __sk_common.skc_num) != 0) return 0;
  struct peer peer = {.protocol = BPF_CORE_READ(sk, sk_protocol), .op = PYI_BIND, .family = af == AF_INET ? 4 : 6};
  return judge_peer(&s, &peer, af, PYI_DO_BIND);
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(pyi_sendmsg, struct socket* sock, struct msghdr* msg, int size) {
  struct subject s;
  if (!current_subject(&s)) {
    /* What a broker sends for a sandbox, which it has judged: it is the sandbox's all the same. */
    struct sock* owned = sock->sk;
    struct pyi_sandbox* sandbox = owned ? sandbox_of(owned) : NULL;
    if (sandbox) count(&sandbox->bytes_sent, (__u32)size);
    return 0;
  }
  struct sock* sk = BPF_CORE_READ(sock, sk);
  __u32 own = BPF_CORE_READ(sk, __sk_common.skc_family);
  const void* name = BPF_CORE_READ(msg, msg_name);
  __u32 length = BPF_CORE_READ(msg, msg_namelen);
  struct peer peer = {.protocol = BPF_CORE_READ(sk, sk_protocol), .op = PYI_SENDTO};
  int error = 0;
  if (!has_policy(&s)) return refuse(&s, PYI_DO_SENDTO, EACCES);
  if (name && length >= sizeof(__u16)) {
    __u16 af = 0;
    bpf_probe_read_kernel(&af, sizeof(af), name);
    if (af == AF_UNSPEC && own == AF_INET) af = AF_INET; /* udp_sendmsg takes it for its own */
    /* To where it is connected. */
    int nowhere = af == AF_UNSPEC && own == AF_INET6;
    /* TCP sends to an address by connecting to it (TCP Fast Open). */
    __u32 operation = peer.protocol == IPPROTO_TCP && own != AF_UNIX ? PYI_DO_CONNECT : PYI_DO_SENDTO;
    if (operation == PYI_DO_CONNECT) peer.op = PYI_CONNECT;
    if (own == AF_UNIX) {
      error = judge_unix_name(&s, name, length, PYI_UNIX_SENDTO, PYI_DO_SENDTO);
    } else if (!nowhere) {
      if (read_peer(&peer, name, length, af)) to_destination(&peer);
      error = judge_peer(&s, &peer, af, operation);
    }
  }
  if (error) return error;
  if (s.sandbox) {
    count(&s.sandbox->sends, 1);
    count(&s.sandbox->bytes_sent, (__u32)size);
  }
  struct pyi_task* frame = begin_frame(&s);
  if (peer.family) frame_peer(frame, &peer);
  frame->size = (__u32)size;
  END_IN_CONTRACT(ctx, &s, contracts_sendto, PYI_DO_SENDTO);
}

#endif
