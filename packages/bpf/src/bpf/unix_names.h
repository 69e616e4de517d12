/* Unix sockets: abstract ones by name, the others by the identity of the socket's file. */
#ifndef PYISOLATE_BPF_UNIX_NAMES_H
#define PYISOLATE_BPF_UNIX_NAMES_H

#include "judge_files.h"

#define SUN_PATH 2 /* offset of sun_path in sockaddr_un, unix(7) */

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1 << 14);
  __type(key, struct pyi_abstract_key);
  __type(value, struct pyi_abstract_rules);
} abstracts PYI_MAP;

/*
 * Only abstract names: where a path leads is judged when its file has been looked up, or is made (unix_stream_connect,
 * unix_may_send, path_mknod). Nothing of a name at all, when binding, is an abstract name that the kernel makes up.
 */
static __always_inline int judge_unix_name(struct subject* s, const void* address, __u32 length, __u32 op,
                                           __u32 operation) {
  /* As long as the mask below allows, which is what the verifier believes. */
  struct {
    struct pyi_abstract_key key;
    __u8 more[20];
  } room = {.key = {.slot = s->slot}};
  __u32 rule = PYI_NO_RULE;
  __u8 first = 0;
  if (!has_policy(s)) return refuse(s, operation, EACCES);
  __u32 bytes = length > SUN_PATH ? length - SUN_PATH : 0;
  if (bytes > PYI_ABSTRACT_BYTES) return 0; /* the kernel refuses it: EINVAL */
  if (bytes > 0) bpf_probe_read_kernel(&first, 1, address + SUN_PATH);
  if (first) return 0;
  if (bytes > 1) {
    __u32 rest = (bytes - 1) & 127;
    bpf_probe_read_kernel(room.key.name, rest, address + SUN_PATH + 1);
    room.key.bytes = rest;
    struct pyi_abstract_rules* rules = bpf_map_lookup_elem(&abstracts, &room.key);
    if (rules) {
      __u32 allow = op == PYI_UNIX_CONNECT ? rules->allow[0] : op == PYI_UNIX_BIND ? rules->allow[1] : rules->allow[2];
      rule = rules->deny;
      if (rule == PYI_NO_RULE && allow != PYI_NO_RULE) return 0;
    }
  }
  struct pyi_event* event = begin_event(s->sandbox);
  if (event) {
    fill_event(event, s, rule, operation, EACCES);
    event->object[0] = '@';
    __builtin_memcpy(event->object + 1, room.key.name, sizeof(room.key.name));
    bpf_ringbuf_submit(event, 0);
  }
  return verdict(s, EACCES);
}

/* `other`: who was found at an address. Without a file it was found by an abstract name, or is one of a pair. */
static __always_inline int judge_unix_peer(struct sock* other, __u32 ops, __u32 operation, int any) {
  struct subject s;
  if (!current_subject(&s)) return 0;
  struct unix_sock* peer = (struct unix_sock*)other;
  struct entry entry = {
      .place = {.dentry = BPF_CORE_READ(peer, path.dentry), .mount = mount_of(BPF_CORE_READ(peer, path.mnt))},
      .there = 1};
  if (!entry.place.dentry && has_policy(&s)) return 0;
  return judge(&s, entry, ops, operation, any);
}

SEC("lsm/unix_stream_connect")
int BPF_PROG(pyi_unix_stream_connect, struct sock* sock, struct sock* other) {
  return judge_unix_peer(other, 1 << PYI_UNIX_CONNECT, PYI_DO_CONNECT, 0);
}

/* Asked when a datagram socket connects and when it sends. Either leads to the same, so either rule will do. */
SEC("lsm/unix_may_send")
int BPF_PROG(pyi_unix_may_send, struct socket* sock, struct socket* other) {
  return judge_unix_peer(BPF_CORE_READ(other, sk), 1 << PYI_UNIX_CONNECT | 1 << PYI_UNIX_SENDTO, PYI_DO_SENDTO, 1);
}

#endif
