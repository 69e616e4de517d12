/*
 * What the BPF programs, the loader and TypeScript (src/internal/layout.ts) share. All little endian, all 8-byte
 * aligned; a test holds the three to the same sizes and offsets by the kernel's type information (BTF).
 */
#ifndef PYISOLATE_BPF_LAYOUT_H
#define PYISOLATE_BPF_LAYOUT_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define PYI_NO_RULE 0xffffffffU
/* Slot 0 never holds a policy, so that memory full of zeros denies. */
#define PYI_SLOTS 256
#define PYI_SANDBOXES 4096
#define PYI_NET_RULES 128
#define PYI_EVENTS_PER_SECOND 256
#define PYI_SECOND_NS 1000000000ULL
#define PYI_OBJECT_BYTES 256
#define PYI_ABSTRACT_BYTES 108 /* sockaddr_un, unix(7) */

/* Bits of what is tried, and the columns of a file rule: the policy compiler's operations. */
enum pyi_op { PYI_READ, PYI_WRITE, PYI_EXEC, PYI_UNIX_CONNECT, PYI_UNIX_BIND, PYI_UNIX_SENDTO, PYI_OPS };
enum pyi_net_op { PYI_CONNECT = 1, PYI_BIND = 2, PYI_SENDTO = 4 };

/* pyi_event.operation: what the kernel was asked for. */
enum pyi_operation {
  PYI_DO_OPEN,
  PYI_DO_EXEC,
  PYI_DO_UNLINK,
  PYI_DO_RENAME,
  PYI_DO_MKDIR,
  PYI_DO_CONNECT,
  PYI_DO_BIND,
  PYI_DO_SENDTO,
  PYI_DO_RMDIR,
  PYI_DO_MKNOD,
  PYI_DO_LINK,
  PYI_DO_SYMLINK,
  PYI_DO_TRUNCATE,
  PYI_DO_CHMOD,
  PYI_DO_CHOWN,
  PYI_DO_CHROOT,
  PYI_DO_SOCKET,
  PYI_DO_LISTEN,
  PYI_DO_MMAP,
  PYI_DO_MPROTECT,
  PYI_DO_KILL,
  PYI_DO_PTRACE,
  PYI_DO_BPF,
  PYI_DO_MOUNT,
  PYI_DO_RECEIVE,
};

/* Of a label: the thread's calls on files and sockets are answered by a broker, which makes them. */
enum pyi_task_flags { PYI_TASK_BROKERED = 1 };

/* The value in a thread's task storage. From 24 on it is the frame that contracts read. */
struct pyi_task {
  __u64 sandbox;
  __u32 policy_slot; /* the slot that decided last */
  __u32 flags;
  __u64 started_ns; /* bpf_ktime_get_ns */
  __u64 opens;
  __u64 connects;
  __u64 sends;
  __u64 bytes_sent;
  __u64 bytes_received;
  __u64 elapsed_ms;
  __u64 writes; /* 0 or 1 */
  __u64 dst_port;
  __u64 size; /* bytes */
  __u64 path_bits;
  __u8 dst_addr[16]; /* network order; IPv4 as ::ffff:a.b.c.d */
  __u32 dst_family;  /* 4, 6; 0: none */
  __u32 index;       /* of the sandbox's record */
};

/* One per sandbox, mapped into the supervisor: `active` is the word that a reload stores. */
struct pyi_sandbox {
  __u64 active; /* low half: slot; high half: generation */
  __u64 id;
  __u64 started_ns;
  __u64 opens;
  __u64 connects;
  __u64 sends;
  __u64 bytes_sent;
  __u64 bytes_received;
  __u64 denied;
  __u64 second; /* of the events counted in `events` */
  __u64 events;
  __u64 lost;       /* events dropped, ever */
  __u64 unreported; /* events dropped since the last one sent */
};

/* A limit of one direction. Bytes are those of IP packets, headers included. */
struct pyi_rate {
  __u64 bytes_per_second; /* 0: no limit */
  __u64 burst_ns;         /* the time that a full bucket takes to fill */
};

/* What one direction has carried. */
struct pyi_usage {
  __u64 paid_until_ns;
  __u64 bytes;
  __u64 dropped; /* bytes */
};

/* Of one direction of a control group's sockets. */
struct pyi_meter {
  struct pyi_rate rate;
  struct pyi_usage usage;
};

/* One per control group. */
struct pyi_group {
  __u64 sandbox;
  __u32 index; /* of the sandbox's record */
  __u32 zero;
  struct pyi_meter in;
  struct pyi_meter out;
};

/* The value in a socket's storage: whose it is, whoever has made it. */
struct pyi_socket {
  __u64 sandbox;
  __u32 index; /* of the sandbox's record */
  __u32 zero;
};

/* What all sockets of one sandbox together may carry: written by the supervisor alone. */
struct pyi_bandwidth {
  __u64 sandbox;
  struct pyi_rate in;
  struct pyi_rate out;
};

/* That a limit was reached, told once a second at most. */
struct pyi_notice {
  __u64 told_ns; /* bpf_ktime_get_ns; 0: never */
  __u64 untold;  /* packets dropped since then */
};

/* What they have carried: written by the programs, but for a new sandbox's zeros. */
struct pyi_traffic {
  struct pyi_usage in;
  struct pyi_usage out;
  struct pyi_notice in_notice;
  struct pyi_notice out_notice;
};

enum pyi_policy_flags { PYI_POLICY_READY = 1, PYI_POLICY_LOG_ONLY = 2 };

/* One per slot. */
struct pyi_policy {
  __u32 flags;
  __u32 contract_hooks; /* bit: hook that has a contract program */
  __u32 net_rules;
  __u32 zero;
};

struct pyi_file_key {
  __u32 slot;
  __u32 dev; /* as in the kernel: major << 20 | minor */
  __u64 ino;
};

/* Of one file or folder, the lowest rule number of each kind, or PYI_NO_RULE. */
struct pyi_file_rules {
  __u32 allow_itself[PYI_OPS];
  __u32 allow_below[PYI_OPS];
  __u32 deny_itself[2]; /* file operations; Unix socket operations */
  __u32 deny_below[2];
  __u64 bits_itself; /* contracts' path patterns */
  __u64 bits_below;
};

struct pyi_net_rule {
  __u64 address[2]; /* in network order as in memory, masked; IPv4 in the first 4 bytes */
  __u64 mask[2];
  __u8 ops;
  __u8 deny;
  __u8 protocol; /* IANA: 6, 17 */
  __u8 family;   /* 4, 6 */
  __u16 port_from;
  __u16 port_to;
  __u32 rule;
  __u32 zero;
};

struct pyi_abstract_key {
  __u32 slot;
  __u32 bytes;
  __u8 name[PYI_ABSTRACT_BYTES];
};

struct pyi_abstract_rules {
  __u32 allow[3]; /* connect, bind, sendto */
  __u32 deny;
};

/* pyi_event.object of an operation on an Internet address. */
struct pyi_address {
  __u8 family;   /* 4, 6; 0: the address is no Internet address */
  __u8 protocol; /* IANA */
  __u16 port;    /* host order */
  __u16 af;      /* as the kernel's */
  __u16 zero;
  __u8 address[16];
};

enum pyi_event_kind { PYI_EVENT_DENIED = 1, PYI_EVENT_CONTRACT = 2, PYI_EVENT_LIMIT = 3 };

struct pyi_event {
  __u32 kind;
  __u32 rule;
  __u64 sandbox;
  __u32 operation;
  __u32 error; /* an errno */
  __u32 policy_generation;
  __u32 lost;
  __u64 ktime_ns;
  char object[PYI_OBJECT_BYTES]; /* a path, NUL-terminated; or struct pyi_address */
};

/* A packet was dropped, as a bucket was empty. */
struct pyi_limit_event {
  __u32 kind;
  __u32 out; /* 0: in */
  __u64 sandbox;
  __u64 lost; /* packets that were dropped before, since the last event */
};

/* Made by contract programs. */
struct pyi_contract_event {
  __u32 kind;
  __u32 contract; /* rule number */
  __u64 sandbox;
  __u32 hook;
  __u32 action; /* 0 deny, 1 log, 2 kill */
  __u64 zero;
};

#endif
