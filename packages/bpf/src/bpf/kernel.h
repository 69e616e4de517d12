/*
 * The parts of kernel types that the programs read. Names and fields are the kernel's (include/linux); offsets are
 * relocated against the running kernel's BTF when the object is loaded.
 */
#ifndef PYISOLATE_BPF_KERNEL_H
#define PYISOLATE_BPF_KERNEL_H

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "layout.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct super_block {
  __u32 s_dev;
  unsigned long s_flags;
  unsigned long s_magic;
};
struct inode {
  __u16 i_mode;
  struct super_block* i_sb;
  unsigned long i_ino;
};
struct qstr {
  __u32 len;
  const unsigned char* name;
};
struct dentry {
  struct dentry* d_parent;
  struct qstr d_name;
  struct inode* d_inode;
  struct super_block* d_sb;
};
struct vfsmount {
  struct dentry* mnt_root;
};
struct mount {
  struct mount* mnt_parent;
  struct dentry* mnt_mountpoint;
  struct vfsmount mnt;
};
struct path {
  struct vfsmount* mnt;
  struct dentry* dentry;
};
struct file {
  unsigned int f_flags;
  unsigned int f_mode;
  struct path f_path;
  struct inode* f_inode;
  void* private_data;
};
struct linux_binprm {
  struct file* file;
};
struct task_struct {
  int pid;
  int tgid;
};
struct vm_area_struct {
  unsigned long vm_flags;
  struct file* vm_file;
};

struct in6_addr {
  __u8 bytes[16];
};
struct sock_common {
  unsigned short skc_family;
  __u16 skc_num; /* local port */
  __be16 skc_dport;
  __be32 skc_daddr;
  __be32 skc_rcv_saddr;
  struct in6_addr skc_v6_daddr;
  struct in6_addr skc_v6_rcv_saddr;
};
struct sock {
  struct sock_common __sk_common;
  __u16 sk_type;
  __u16 sk_protocol;
};
struct sockaddr_un {
  __u16 sun_family;
};
struct unix_address {
  int len;
  struct sockaddr_un name[];
};
struct unix_sock {
  struct sock sk;
  struct unix_address* addr;
  struct path path;
  struct sock* peer;
};
struct socket {
  short type;
  struct sock* sk;
};
struct sockaddr {
  __u16 sa_family;
};
struct sk_buff {
  unsigned int len;
  unsigned char* data;
};
struct msghdr {
  void* msg_name;
  int msg_namelen;
};

/* Of the call that a thread is in, as its program gave it. */
#ifdef __TARGET_ARCH_arm64
struct pt_regs {
  int syscallno;
};
#define CALL_NUMBER(regs) BPF_CORE_READ(regs, syscallno)
#else
struct pt_regs {
  unsigned long orig_ax;
};
#define CALL_NUMBER(regs) BPF_CORE_READ(regs, orig_ax)
#endif

#pragma clang attribute pop

#endif
