/* Descriptors that somebody passes: SCM_RIGHTS (unix(7)), pidfd_getfd(2). Who has one delegates no more than a rule. */
#ifndef PYISOLATE_BPF_DESCRIPTOR_HOOKS_H
#define PYISOLATE_BPF_DESCRIPTOR_HOOKS_H

#include <asm/unistd.h>

#include "file_hooks.h"
#include "socket_hooks.h"

/* include/linux/fs.h: no mount that anybody could name shows it. Pipes, eventfds and the like, memfds. */
#define SB_NOUSER (1UL << 31)
#define FMODE_PATH 0x4000

/*
 * Whether the thread is stopped in a call that its broker answers with a descriptor: SECCOMP_IOCTL_NOTIF_ADDFD has the
 * thread that called receive it (kernel/seccomp.c, seccomp_handle_addfd), in that call.
 */
static __always_inline int in_brokered_call(void) {
  struct task_struct* current = (struct task_struct*)bpf_get_current_task_btf();
  long call = CALL_NUMBER((struct pt_regs*)bpf_task_pt_regs(current));
#ifdef __NR_open
  if (call == __NR_open || call == __NR_creat) return 1;
#endif
  return call == __NR_openat || call == __NR_openat2 || call == __NR_socket;
}

/* A peer is where it leads to, its own name where it may be found; a pair's has neither. */
static __always_inline int judge_given_unix(struct subject* s, struct sock* sk) {
  struct unix_sock* own = (struct unix_sock*)sk;
  struct unix_sock* peer = (struct unix_sock*)BPF_CORE_READ(own, peer);
  struct unix_address* name = peer ? BPF_CORE_READ(peer, addr) : NULL;
  int reaches = name != NULL;
  struct unix_sock* named = reaches ? peer : own;
  if (!reaches) name = BPF_CORE_READ(own, addr);
  if (!name) return has_policy(s) ? 0 : refuse(s, PYI_DO_SOCKET, EACCES);
  __u32 op = reaches ? PYI_UNIX_CONNECT : PYI_UNIX_BIND;
  __u32 operation = reaches ? PYI_DO_CONNECT : PYI_DO_BIND;
  struct entry entry = {
      .place = {.dentry = BPF_CORE_READ(named, path.dentry), .mount = mount_of(BPF_CORE_READ(named, path.mnt))},
      .there = 1};
  if (entry.place.dentry) return judge(s, entry, 1 << op, operation, 0);
  const void* text = (void*)name + bpf_core_field_offset(struct unix_address, name);
  return judge_unix_name(s, text, BPF_CORE_READ(name, len), op, operation);
}

static __always_inline void address_of(struct peer* peer, struct sock* sk, __u32 af, int reaches) {
  if (af == AF_INET) {
    peer->family = 4;
    peer->address[0] =
        reaches ? BPF_CORE_READ(sk, __sk_common.skc_daddr) : BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
  } else if (bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)) {
    peer->family = 6;
    if (reaches)
      BPF_CORE_READ_INTO(&peer->address, sk, __sk_common.skc_v6_daddr);
    else
      BPF_CORE_READ_INTO(&peer->address, sk, __sk_common.skc_v6_rcv_saddr);
    unmap(peer);
  }
}

/* One without any address is what a thread can make itself, if anything on the network is its policy's. */
static __always_inline int judge_given_socket(struct subject* s, struct sock* sk) {
  __u32 af = sk ? BPF_CORE_READ(sk, __sk_common.skc_family) : AF_UNSPEC;
  if (af == AF_UNIX) return judge_given_unix(s, sk);
  struct peer peer = {};
  if (sk) peer.protocol = BPF_CORE_READ(sk, sk_protocol);
  __u32 type = sk ? BPF_CORE_READ(sk, sk_type) : 0;
  int known = (af == AF_INET || af == AF_INET6) && ((type == SOCK_STREAM && peer.protocol == IPPROTO_TCP) ||
                                                    (type == SOCK_DGRAM && peer.protocol == IPPROTO_UDP));
  if (!known) return refuse_peer(s, &peer, af, PYI_NO_RULE, PYI_DO_SOCKET);
  __u32 there = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
  peer.port = there ? there : BPF_CORE_READ(sk, __sk_common.skc_num);
  if (!peer.port && has_policy(s) && s->net_rules) return 0;
  if (peer.port) address_of(&peer, sk, af, there != 0);
  peer.op = there ? PYI_CONNECT : PYI_BIND;
  return judge_peer(s, &peer, af, there ? PYI_DO_CONNECT : peer.port ? PYI_DO_BIND : PYI_DO_SOCKET);
}

SEC("lsm/file_receive")
int BPF_PROG(pyi_file_receive, struct file* file) {
  struct subject s;
  if (!current_subject(&s)) return 0;
  if (s.task->flags & PYI_TASK_BROKERED && in_brokered_call()) return 0;
  struct inode* inode = BPF_CORE_READ(file, f_inode);
  int nameless = (BPF_CORE_READ(inode, i_sb, s_flags) & SB_NOUSER) != 0;
  if (nameless && (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFSOCK) {
    struct socket* sock = (struct socket*)BPF_CORE_READ(file, private_data);
    return judge_given_socket(&s, BPF_CORE_READ(sock, sk));
  }
  /* Bytes that somebody could as well send; as code they are judged when they are mapped. */
  if (nameless) return 0;
  __u32 mode = file->f_mode, ops = 0;
  if (mode & FMODE_PATH) return 0; /* what is opened by it is judged */
  if (mode & FMODE_READ) ops = 1 << PYI_READ;
  if (mode & FMODE_WRITE) ops |= 1 << PYI_WRITE;
  if (!ops) ops = 1 << PYI_READ;
  return judge_place(&s, place_of(&file->f_path), ops, PYI_DO_RECEIVE);
}

#endif
