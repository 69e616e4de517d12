/* What a sandbox's sockets receive, for contracts to judge: counted as it arrives, read or not. */
#ifndef PYISOLATE_BPF_RECEIVE_HOOKS_H
#define PYISOLATE_BPF_RECEIVE_HOOKS_H

#include "addresses.h"
#include "event.h"
#include "socket_owner.h"

#define UDP_HEADER 8
#define TCP_LEAST_HEADER 20
#define TCP_DATA_OFFSET 12 /* its high four bits: the header's length in words of four bytes (RFC 9293, 3.1) */

/* A socket that a labelled thread makes itself. One that can't be counted isn't made. */
SEC("lsm/socket_post_create")
int BPF_PROG(pyi_socket_post_create, struct socket* sock, int family, int type, int protocol, int kern) {
  struct subject s;
  if (kern || (family != AF_INET && family != AF_INET6) || !current_subject(&s)) return 0;
  struct sock* sk = sock->sk;
  if (!sk) return 0;
  struct pyi_socket* own = bpf_sk_storage_get(&sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
  if (!own) return -ENOMEM;
  own->index = s.task->index;
  own->sandbox = s.task->sandbox;
  return 0;
}

/* Payload, once for each time that it arrives: at least what can be read. */
SEC("lsm/socket_sock_rcv_skb")
int BPF_PROG(pyi_received, struct sock* sk, struct sk_buff* skb) {
  __u32 af = BPF_CORE_READ(sk, __sk_common.skc_family);
  struct pyi_sandbox* sandbox = af == AF_INET || af == AF_INET6 ? sandbox_of(sk) : NULL;
  if (!sandbox) return 0;
  __u32 header = UDP_HEADER;
  if (BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP) {
    __u8 offset = 0;
    bpf_probe_read_kernel(&offset, sizeof(offset), BPF_CORE_READ(skb, data) + TCP_DATA_OFFSET);
    header = (offset >> 4) * 4;
    if (header < TCP_LEAST_HEADER) header = TCP_LEAST_HEADER;
  }
  __u32 bytes = BPF_CORE_READ(skb, len);
  if (bytes > header) __sync_fetch_and_add(&sandbox->bytes_received, bytes - header);
  return 0;
}

#endif
