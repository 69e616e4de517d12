// Unix sockets: by the identity of the socket's file, or by the name of an abstract one (unix(7)).
#pragma once

#include "file-check.h"
#include "sockets.h"

// The address as unix(7) has it: family, path, its length without the family.
static __always_inline void name_unix(struct pyi_event* event, const void* path, __u32 length) {
  struct pyi_peer* peer = (struct pyi_peer*)event->object;
  peer->family = 1;
  peer->port = length;
  bpf_probe_read_kernel(peer->path, length < sizeof peer->path ? length : sizeof peer->path, path);
}

// `name` begins with the NUL that makes it abstract; `length` counts it.
static __always_inline struct walk find_abstract(const struct subject* subject, const char* name, __u32 length) {
  struct walk walk = {.allow = {PYI_NO_RULE, PYI_NO_RULE, PYI_NO_RULE}, .deny = PYI_NO_RULE};
  struct pyi_name_key* key =
      bpf_task_storage_get(&pyi_scratch, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!key || length < 1 || length > 108) return walk;
  __builtin_memset(key, 0, sizeof *key);
  key->generation = subject->generation;
  key->kind = PYI_KIND_ABSTRACT;
  key->ino = length - 1;
  const __u32 bytes = (length - 1) & 127;
  if (bpf_probe_read_kernel(key->name, bytes, name + 1) != 0) return walk;
  const struct pyi_node* node = bpf_map_lookup_elem(&pyi_names, key);
  if (node) gather(&walk, node, true);
  return walk;
}

static __always_inline int refuse_unix(const struct subject* subject, __u32 operation, __u32 rule, const void* path,
                                       __u32 length) {
  struct pyi_event* event = begin_event(subject, operation, rule, EACCES);
  if (event) {
    name_unix(event, path, length);
    end_event(event);
  }
  return refusal(subject, EACCES);
}

// `ops`: one of them is enough.
static __always_inline int check_peer(const struct subject* subject, struct sock* other, __u32 ops, __u32 operation) {
  struct unix_sock* peer = (struct unix_sock*)other;
  struct unix_address* address = BPF_CORE_READ(peer, addr);
  if (!address) return 0;  // of socketpair(2): whoever holds it was given it
  const __u32 length = BPF_CORE_READ(address, len) - 2;
  // struct sockaddr_un name[] follows: the family, then the path.
  const char* path = (const char*)address + bpf_core_type_size(struct unix_address) + 2;
  struct dentry* dentry = BPF_CORE_READ(peer, path.dentry);
  const struct walk walk = dentry ? walk_up(subject, PYI_KIND_UNIX, dentry, BPF_CORE_READ(peer, path.mnt), true)
                                  : find_abstract(subject, path, length);
  const bool allowed =
      ((ops & OP_CONNECT) && walk.allow[0] != PYI_NO_RULE) || ((ops & OP_SENDTO) && walk.allow[2] != PYI_NO_RULE);
  if (allowed && walk.deny == PYI_NO_RULE && !(dentry && in_proc(dentry))) return 0;
  return refuse_unix(subject, operation, walk.deny, path, length);
}

SEC("lsm/unix_stream_connect")
int BPF_PROG(pyi_unix_stream_connect, struct sock* sock, struct sock* other, struct sock* made) {
  const struct pyi_task* task = current_label();
  if (!task) return 0;
  const struct subject subject = subject_of(task);
  return check_peer(&subject, other, OP_CONNECT, PYI_CONNECT);
}

// Of datagrams, whether their socket was connected or each has an address: the kernel doesn't tell which.
SEC("lsm/unix_may_send")
int BPF_PROG(pyi_unix_may_send, struct socket* socket, struct socket* other) {
  const struct pyi_task* task = current_label();
  if (!task) return 0;
  const struct subject subject = subject_of(task);
  return check_peer(&subject, other->sk, OP_CONNECT | OP_SENDTO, PYI_SENDTO);
}

// A Unix socket's file is judged where it is made, below; here its abstract name.
static __always_inline int check_unix_bind(const struct subject* subject, const void* address, int length) {
  char first = 0;
  if (length > 2 && bpf_probe_read_kernel(&first, 1, address + 2) != 0) return -EINVAL;
  if (length > 2 && first != 0) return subject->generation ? 0 : deny(subject, PYI_BIND, EACCES);
  const struct walk walk = find_abstract(subject, address + 2, length - 2);
  if (walk.allow[1] != PYI_NO_RULE && walk.deny == PYI_NO_RULE) return 0;
  return refuse_unix(subject, PYI_BIND, walk.deny, address + 2, length > 2 ? length - 2 : 0);
}

SEC("lsm/socket_bind")
int BPF_PROG(pyi_socket_bind, struct socket* socket, void* to, int length) {
  struct pyi_task* task = current_label();
  if (!task) return 0;
  const struct subject subject = subject_of(task);
  const struct sock* sock = socket->sk;
  const __u16 family = sock->__sk_common.skc_family;
  struct address address = {.protocol = sock->sk_protocol};
  int result;
  if (is_internet(family)) {
    if (!read_address(to, length, family, &address)) return -EINVAL;
    result = check_address(&subject, &address, OP_BIND);
  } else {
    result = family == AF_UNIX ? check_unix_bind(&subject, to, length) : deny(&subject, PYI_BIND, EACCES);
  }
  if (result != 0 || !subject.sandbox) return result;
  begin_frame(task, subject.sandbox);
  if (address.family) frame_address(task, &address);
  bpf_tail_call(ctx, &pyi_on_bind, subject.generation);
  return 0;
}

// Files, pipes and devices are written; a socket's file is bound.
SEC("lsm/path_mknod")
int BPF_PROG(pyi_path_mknod, const struct path* folder, struct dentry* entry, unsigned short mode) {
  const struct pyi_task* task = current_label();
  if (!task) return 0;
  const struct subject subject = subject_of(task);
  const struct target target = {folder, entry, false};
  if ((mode & S_IFMT) != S_IFSOCK) return check_file(&subject, target, OP_WRITE, NULL);
  const struct walk walk = walk_up(&subject, PYI_KIND_UNIX, entry, folder->mnt, true);
  if (walk.allow[1] != PYI_NO_RULE && walk.deny == PYI_NO_RULE && !in_proc(entry)) return 0;
  struct pyi_event* event = begin_event(&subject, PYI_BIND, walk.deny, EACCES);
  if (event) {
    name_object(event, folder, entry);
    end_event(event);
  }
  return refusal(&subject, EACCES);
}
