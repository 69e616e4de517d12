// Sockets of the Internet families: who may be reached, and from where.
#pragma once

#include "frame.h"
#include "net-check.h"

// What the kernel got for an address; it copies at most sizeof(struct sockaddr_storage).
struct raw_address {
  __u16 family;
  __u16 port;
  union {
    __u32 ip4;
    struct {
      __u32 flow;
      __u32 ip6[4];
    };
  };
};

#define SOCKADDR_IN 16
#define SOCKADDR_IN6 24  // up to the scope

// Of a socket of the Internet families; false when there is no address in it, which the kernel will refuse.
static __always_inline bool read_address(const void* from, int length, __u16 socket_family, struct address* address) {
  struct raw_address raw = {};
  if (length < SOCKADDR_IN) return false;
  if (bpf_probe_read_kernel(&raw, SOCKADDR_IN, from) != 0) return false;
  // bind(2) and sendto(2) take an unspecified family for IPv4 on IPv4 sockets.
  const __u16 family = raw.family == AF_UNSPEC ? socket_family : raw.family;
  address->port = bpf_ntohs(raw.port);
  if (family == AF_INET) {
    address->family = 4;
    address->words[0] = raw.ip4;
    return true;
  }
  if (family != AF_INET6 || length < SOCKADDR_IN6) return false;
  if (bpf_probe_read_kernel(&raw, SOCKADDR_IN6, from) != 0) return false;
  address->family = 6;
  __builtin_memcpy(address->words, raw.ip6, sizeof address->words);
  unmap(address);
  return true;
}

static __always_inline void frame_address(struct pyi_task* task, const struct address* address) {
  __u32* words = (__u32*)task->dst_addr;
  const bool mapped = address->family == 4;
  words[0] = mapped ? 0 : address->words[0];
  words[1] = mapped ? 0 : address->words[1];
  words[2] = mapped ? bpf_htonl(0xffff) : address->words[2];
  words[3] = mapped ? address->words[0] : address->words[3];
  task->dst_family = address->family;
  task->dst_port = address->port;
}

static __always_inline bool is_internet(__u16 family) { return family == AF_INET || family == AF_INET6; }

SEC("lsm/socket_create")
int BPF_PROG(pyi_socket_create, int family, int type, int protocol, int kern) {
  if (kern) return 0;
  const struct pyi_task* task = current_label();
  if (!task) return 0;
  const struct subject subject = subject_of(task);
  const __u32 tcp = type == SOCK_STREAM && (protocol == 0 || protocol == PROTO_TCP) ? PYI_GENERATION_TCP : 0;
  const __u32 udp = type == SOCK_DGRAM && (protocol == 0 || protocol == PROTO_UDP) ? PYI_GENERATION_UDP : 0;
  const bool plain = type == SOCK_STREAM || type == SOCK_DGRAM || type == SOCK_SEQPACKET;
  // Unix sockets are also how a process talks to itself (socketpair(2)): whom they reach is judged when they do.
  if (family == AF_UNIX && plain && subject.generation) return 0;
  if (is_internet(family) && (subject.flags & (tcp | udp))) return 0;
  return deny(&subject, PYI_SOCKET, EACCES);
}

SEC("lsm/socket_connect")
int BPF_PROG(pyi_socket_connect, struct socket* socket, void* to, int length) {
  struct pyi_task* task = current_label();
  if (!task) return 0;
  const struct subject subject = subject_of(task);
  const struct sock* sock = socket->sk;
  const __u16 family = sock->__sk_common.skc_family;
  struct address address = {.protocol = sock->sk_protocol};
  if (is_internet(family)) {
    __u16 wanted = 0;
    if (length < 2 || bpf_probe_read_kernel(&wanted, sizeof wanted, to) != 0) return -EINVAL;
    if (wanted == AF_UNSPEC) return 0;  // dissolves a connection
    if (!read_address(to, length, family, &address)) return -EINVAL;
    const int result = check_address(&subject, &address, OP_CONNECT);
    if (result != 0) return result;
  } else if (family != AF_UNIX || !subject.generation) {
    return deny(&subject, PYI_CONNECT, EACCES);
  }
  if (!subject.sandbox) return 0;
  count(&subject.sandbox->connects, 1);
  begin_frame(task, subject.sandbox);
  if (address.family) frame_address(task, &address);
  bpf_tail_call(ctx, &pyi_on_connect, subject.generation);
  return 0;
}

// Without a bind the kernel chooses a port, and any address.
SEC("lsm/socket_listen")
int BPF_PROG(pyi_socket_listen, struct socket* socket, int backlog) {
  const struct pyi_task* task = current_label();
  if (!task) return 0;
  const struct subject subject = subject_of(task);
  const struct sock* sock = socket->sk;
  const __u16 family = sock->__sk_common.skc_family;
  if (family == AF_UNIX && subject.generation) return 0;
  if (!is_internet(family)) return deny(&subject, PYI_BIND, EACCES);
  if (sock->__sk_common.skc_num != 0) return 0;
  const struct address any = {.family = family == AF_INET ? 4 : 6, .protocol = sock->sk_protocol};
  return check_address(&subject, &any, OP_BIND);
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(pyi_socket_sendmsg, struct socket* socket, struct msghdr* message, int size) {
  struct pyi_task* task = current_label();
  if (!task) return 0;
  const struct subject subject = subject_of(task);
  const struct sock* sock = socket->sk;
  const __u16 family = sock->__sk_common.skc_family;
  struct address address = {.protocol = sock->sk_protocol};
  void* to = message->msg_name;
  if (is_internet(family)) {
    const bool opens = address.protocol == PROTO_TCP && (message->msg_flags & MSG_FASTOPEN);
    // TCP takes no notice of an address, unless it opens the connection by it (TCP Fast Open, RFC 7413).
    if (to && (opens || address.protocol != PROTO_TCP)) {
      if (!read_address(to, message->msg_namelen, family, &address)) return -EINVAL;
      const int result = check_address(&subject, &address, opens ? OP_CONNECT : OP_SENDTO);
      if (result != 0) return result;
    } else if (address.protocol != PROTO_TCP && address.protocol != PROTO_UDP) {
      return deny(&subject, PYI_SENDTO, EACCES);
    }
  } else if (family != AF_UNIX || !subject.generation) {
    return deny(&subject, PYI_SENDTO, EACCES);
  }
  if (!subject.sandbox) return 0;
  count(&subject.sandbox->sends, 1);
  count(&subject.sandbox->bytes_sent, size < 0 ? 0 : size);
  begin_frame(task, subject.sandbox);
  if (address.family) frame_address(task, &address);
  task->size = size < 0 ? 0 : size;
  bpf_tail_call(ctx, &pyi_on_sendto, subject.generation);
  return 0;
}

static __always_inline int count_received(int received) {
  if (received <= 0) return 0;
  const struct pyi_task* task = current_label();
  if (!task) return 0;
  struct pyi_sandbox* sandbox = bpf_map_lookup_elem(&pyi_sandboxes, &task->sandbox);
  if (sandbox) count(&sandbox->bytes_received, received);
  return 0;
}

// What was received is known behind the call only.
SEC("fexit/inet_recvmsg")
int BPF_PROG(pyi_inet_recvmsg, struct socket* socket, struct msghdr* message, unsigned long size, int flags,
             int received) {
  return count_received(received);
}

SEC("fexit/inet6_recvmsg")
int BPF_PROG(pyi_inet6_recvmsg, struct socket* socket, struct msghdr* message, unsigned long size, int flags,
             int received) {
  return count_received(received);
}
