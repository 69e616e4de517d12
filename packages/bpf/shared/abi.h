// What BPF programs, the addon and TypeScript share: values of maps and records of the ring buffer, in the machine's
// byte order (little endian on every supported machine). src/internal/layout.ts repeats it; tests hold both to BTF.
#pragma once

#ifdef __cplusplus
#include <cstddef>
#include <cstdint>
using pyi_u8 = std::uint8_t;
using pyi_u16 = std::uint16_t;
using pyi_u32 = std::uint32_t;
using pyi_u64 = std::uint64_t;
#else
typedef __u8 pyi_u8;
typedef __u16 pyi_u16;
typedef __u32 pyi_u32;
typedef __u64 pyi_u64;
#endif

#define PYI_NO_RULE 0xffffffffu
#define PYI_SLOTS 4096        // policies at a time, 0 is none
#define PYI_GENERATIONS 4096  // generations at a time, 0 is none
#define PYI_NAME_BYTES 256    // NAME_MAX and its NUL
#define PYI_OBJECT_BYTES 256

// Of a sandbox's threads and processes: the value of its task storage. What starts with `opens` is the contract frame,
// which a base program fills before it calls the contracts of its hook.
struct pyi_task {
  pyi_u64 sandbox;
  pyi_u32 policy_slot;
  pyi_u32 flags;
  pyi_u64 started_ns;  // CLOCK_MONOTONIC, bpf_ktime_get_ns
  pyi_u64 opens;
  pyi_u64 connects;
  pyi_u64 sends;
  pyi_u64 bytes_sent;
  pyi_u64 bytes_received;
  pyi_u64 elapsed_ms;
  pyi_u64 writes;
  pyi_u64 dst_port;
  pyi_u64 size;
  pyi_u64 path_bits;
  pyi_u8 dst_addr[16];  // network order, IPv4 as ::ffff:a.b.c.d
  pyi_u32 dst_family;   // 4, 6 or 0
  pyi_u32 zero;
};

// Of a control group, for kernels without BPF LSM.
struct pyi_cgroup {
  pyi_u64 sandbox;
  pyi_u32 policy_slot;
  pyi_u32 zero;
};

// What is counted for each sandbox, and how fast its events come.
struct pyi_sandbox {
  pyi_u64 opens;
  pyi_u64 connects;
  pyi_u64 sends;
  pyi_u64 bytes_sent;
  pyi_u64 bytes_received;
  pyi_u64 window_ns;
  pyi_u32 window_events;
  pyi_u32 lost;
};

#define PYI_GENERATION_READY 1
#define PYI_GENERATION_LOG_ONLY 2
#define PYI_GENERATION_EXECUTABLE_MEMORY 4
#define PYI_GENERATION_TCP 8
#define PYI_GENERATION_UDP 16
#define PYI_GENERATION_UNIX 32

struct pyi_generation {
  pyi_u32 flags;
  pyi_u32 number;  // as events say it
  pyi_u32 nets;    // how many records, 0 to nets - 1
  pyi_u32 zero;
};

#define PYI_KIND_FILE 0
#define PYI_KIND_UNIX 1
#define PYI_KIND_ABSTRACT 2

// A ruled inode of one generation: what the kernel calls it (s_dev, i_ino), not what stat(2) does.
struct pyi_node_key {
  pyi_u32 generation;
  pyi_u32 kind;
  pyi_u64 dev;
  pyi_u64 ino;
};

// A ruled name in a folder; of an abstract socket dev is 0 and ino the length of its name.
struct pyi_name_key {
  pyi_u32 generation;
  pyi_u32 kind;
  pyi_u64 dev;
  pyi_u64 ino;
  char name[PYI_NAME_BYTES];  // zeros behind it
};

#define PYI_NODE_NAMES 1  // names in this folder are ruled

// The lowest rule numbers that fit the inode itself, and what is below it. Operations: read, write, exec of files;
// connect, bind, sendto of Unix sockets.
struct pyi_node {
  pyi_u32 allow_self[3];
  pyi_u32 allow_below[3];
  pyi_u32 deny_self;
  pyi_u32 deny_below;
  pyi_u64 bits_self;
  pyi_u64 bits_below;
  pyi_u32 flags;
  pyi_u32 zero;
};

struct pyi_net_key {
  pyi_u32 generation;
  pyi_u32 index;
};

#define PYI_NET_DENY 2

// Denials first, each kind by its number: the first that fits decides.
struct pyi_net {
  pyi_u8 ops;
  pyi_u8 flags;
  pyi_u8 protocol;
  pyi_u8 family;
  pyi_u16 port_from;  // the machine's order
  pyi_u16 port_to;
  pyi_u32 rule;
  pyi_u32 address[4];  // network order, IPv4 in the first
  pyi_u32 mask[4];
  pyi_u32 zero;
};

#define PYI_EVENT_DENIAL 1
#define PYI_EVENT_CONTRACT 2

enum pyi_operation {
  PYI_READ,
  PYI_WRITE,
  PYI_EXEC,
  PYI_CONNECT,
  PYI_BIND,
  PYI_SENDTO,
  PYI_SOCKET,
  PYI_SIGNAL,
  PYI_TRACE,
  PYI_BPF,
  PYI_MOUNT,
  PYI_MEMORY,
};

struct pyi_event {
  pyi_u32 kind;
  pyi_u32 rule;
  pyi_u64 sandbox;
  pyi_u32 operation;
  pyi_u32 error;  // 0 under a policy that only logs
  pyi_u32 policy_generation;
  pyi_u32 lost;
  pyi_u64 ktime_ns;
  char object[PYI_OBJECT_BYTES];  // a path, or a pyi_peer
};

// What an event on sockets is about.
struct pyi_peer {
  pyi_u8 family;    // 4, 6, 1 for a Unix socket
  pyi_u8 protocol;  // IANA's number
  pyi_u16 port;     // the machine's order; of a Unix socket the bytes of its address
  pyi_u8 address[16];
  char path[108];  // of a Unix socket, NUL first if abstract
};

struct pyi_contract_event {
  pyi_u32 kind;
  pyi_u32 contract;
  pyi_u64 sandbox;
  pyi_u32 hook;
  pyi_u32 action;
  pyi_u64 zero;
};
