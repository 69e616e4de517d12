// The few fields of the kernel's types that the programs read. Names are matched with the running kernel's BTF when a
// program is loaded (CO-RE), so neither a kernel's headers nor its BTF are needed to build.
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct task_struct {
  int pid;
};

struct super_block {
  __u32 s_dev;
  unsigned long s_magic;
};

struct inode {
  unsigned short i_mode;
  struct super_block* i_sb;
  unsigned long i_ino;
};

struct qstr {
  const unsigned char* name;
};

struct dentry {
  struct dentry* d_parent;
  struct qstr d_name;
  struct inode* d_inode;
};

struct vfsmount {
  struct dentry* mnt_root;
  int mnt_flags;
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
  unsigned int f_mode;
  unsigned int f_flags;
  struct path f_path;
  struct inode* f_inode;
};

struct linux_binprm {
  struct file* file;
};

struct vm_area_struct {
  unsigned long vm_flags;
  struct file* vm_file;
};

struct sock_common {
  unsigned short skc_family;
  __u16 skc_num;
};

struct sock {
  struct sock_common __sk_common;
  __u16 sk_type;
  __u16 sk_protocol;
};

struct socket {
  struct sock* sk;
};

struct msghdr {
  void* msg_name;
  int msg_namelen;
  unsigned int msg_flags;
};

struct unix_address {
  int len;
};

struct unix_sock {
  struct unix_address* addr;
  struct path path;
};

#pragma clang attribute pop

// include/linux/fs.h, errno-base.h, socket.h, mman-common.h, stat.h, magic.h: numbers that never change.
#define FMODE_READ 0x1
#define FMODE_WRITE 0x2
#define FMODE_EXEC 0x20
#define MNT_INTERNAL 0x4000
#define PROC_SUPER_MAGIC 0x9fa0
#define VM_EXEC 0x4
#define PROT_WRITE 0x2
#define PROT_EXEC 0x4
#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFDIR 0040000
#define S_IFBLK 0060000
#define S_IFCHR 0020000
#define MSG_FASTOPEN 0x20000000
#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_SEQPACKET 5
#define PROTO_TCP 6
#define PROTO_UDP 17
#define EPERM 1
#define ENOMEM 12
#define EACCES 13
#define EINVAL 22
