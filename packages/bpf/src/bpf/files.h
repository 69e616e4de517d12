/* Decides about a file by the identities of itself and of its ancestors. */
#ifndef PYISOLATE_BPF_FILES_H
#define PYISOLATE_BPF_FILES_H

#include "scratch.h"

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1 << 18);
  __type(key, struct pyi_file_key);
  __type(value, struct pyi_file_rules);
} files PYI_MAP;

/* linux/magic.h: holds every other process, memory and descriptors included, so no rule reaches it. */
#define PROC_SUPER_MAGIC 0x9fa0

static __always_inline void lower(__u32* least, __u32 rule) {
  if (rule < *least) *least = rule;
}

static __always_inline void add_rules(struct walk* walk, const struct pyi_file_rules* rules) {
  int itself = !walk->below;
#pragma unroll
  for (int op = 0; op < PYI_OPS; op++) {
    lower(&walk->allow[op], rules->allow_below[op]);
    if (itself) lower(&walk->allow[op], rules->allow_itself[op]);
  }
#pragma unroll
  for (int kind = 0; kind < 2; kind++) {
    lower(&walk->deny[kind], rules->deny_below[kind]);
    if (itself) lower(&walk->deny[kind], rules->deny_itself[kind]);
  }
  walk->bits |= rules->bits_below;
  if (itself) walk->bits |= rules->bits_itself;
}

static long visit(__u32 step, struct scratch** context) {
  struct walk* walk = &(*context)->walk;
  struct dentry* dentry = walk->place.dentry;
  struct inode* inode = BPF_CORE_READ(dentry, d_inode);
  if (inode) {
    struct super_block* super = BPF_CORE_READ(inode, i_sb);
    struct pyi_file_key key = {
        .slot = walk->slot, .dev = BPF_CORE_READ(super, s_dev), .ino = BPF_CORE_READ(inode, i_ino)};
    if (BPF_CORE_READ(super, s_magic) == PROC_SUPER_MAGIC) walk->forbidden = 1;
    struct pyi_file_rules* rules = bpf_map_lookup_elem(&files, &key);
    if (rules) add_rules(walk, rules);
  }
  walk->below = 1;
  if (step_up(&walk->place)) return 0;
  walk->complete = 1;
  return 1;
}

/* `below`: the place is a folder, and the question is what it says of what is in it. */
static __always_inline struct walk* walk_from(struct scratch* scratch, struct place place, __u32 slot, int below) {
  struct walk* walk = &scratch->walk;
  __builtin_memset(walk, 0, sizeof(*walk));
  __builtin_memset(walk->allow, 0xff, sizeof(walk->allow));
  __builtin_memset(walk->deny, 0xff, sizeof(walk->deny));
  walk->place = place;
  walk->slot = slot;
  walk->below = below;
  bpf_loop(DEEPEST, visit, &scratch, 0);
  return walk;
}

#define FILE_OPS (1 << PYI_READ | 1 << PYI_WRITE | 1 << PYI_EXEC)
#define UNIX_OPS (1 << PYI_UNIX_CONNECT | 1 << PYI_UNIX_BIND | 1 << PYI_UNIX_SENDTO)

/* Which operations are allowed, as bits of enum pyi_op. */
static __always_inline __u32 permitted(const struct walk* walk) {
  __u32 ops = 0;
  if (!walk->complete || walk->forbidden) return 0;
#pragma unroll
  for (int op = 0; op < PYI_OPS; op++)
    if (walk->allow[op] != PYI_NO_RULE) ops |= 1 << op;
  if (walk->deny[0] != PYI_NO_RULE) ops &= ~FILE_OPS;
  if (walk->deny[1] != PYI_NO_RULE) ops &= ~UNIX_OPS;
  return ops;
}

/* The rule that denies these operations; PYI_NO_RULE: none allows them. */
static __always_inline __u32 denying(const struct walk* walk, __u32 ops) {
  if (!walk->complete || walk->forbidden) return PYI_NO_RULE;
  return ops & FILE_OPS ? walk->deny[0] : walk->deny[1];
}

#endif
