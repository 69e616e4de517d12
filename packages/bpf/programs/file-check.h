// The check that every hook on files makes.
#pragma once

#include "events.h"
#include "frame.h"
#include "walk.h"

#define OP_READ 1
#define OP_WRITE 2
#define OP_EXEC 4

// No rule reaches procfs: what is in there leads to every other process.
static __always_inline bool in_proc(struct dentry* dentry) {
  struct inode* inode = BPF_CORE_READ(dentry, d_inode);
  if (!inode) inode = BPF_CORE_READ(dentry, d_parent, d_inode);
  return BPF_CORE_READ(inode, i_sb, s_magic) == PROC_SUPER_MAGIC;
}

// The path as the task sees it, and the name of what may not be there yet behind it.
static __always_inline void name_object(struct pyi_event* event, const struct path* path, struct dentry* child) {
  long length = path ? bpf_d_path((struct path*)path, event->object, PYI_OBJECT_BYTES) : 1;
  if (length <= 0 || !child) return;
  if (length == 2) length = 1;  // the root folder: its / is ours
  const __u32 at = length & (PYI_OBJECT_BYTES - 1);
  if (at < 1 || at >= PYI_OBJECT_BYTES - 1) return;
  if (path) event->object[at - 1] = '/';
  bpf_probe_read_kernel_str(event->object + (path ? at : 0), PYI_OBJECT_BYTES - at, BPF_CORE_READ(child, d_name.name));
}

// What is judged: a file of its own (`path`), or an entry `child` of the folder `path`.
struct target {
  const struct path* path;
  struct dentry* child;
  bool bare;  // events have its name alone: its folder isn't known, or the hook may not ask for it
};

// 0 or what to refuse with. `bits` gets the contract paths that fit.
static __always_inline int check_file(const struct subject* subject, struct target target, __u32 ops, __u64* bits) {
  struct dentry* dentry = target.child ? target.child : target.path->dentry;
  const struct walk walk = walk_up(subject, PYI_KIND_FILE, dentry, target.path->mnt, true);
  if (bits) *bits = walk.bits;
  __u32 operation = 0;
  __u32 rule = walk.deny;
  if (in_proc(dentry)) {
    rule = PYI_NO_RULE;
    permits(&walk, ops, &operation);
  } else if (permits(&walk, ops, &operation)) {
    return 0;
  }
  struct pyi_event* event = begin_event(subject, PYI_READ + operation, rule, EACCES);
  if (event) {
    name_object(event, target.bare ? NULL : target.path, target.bare ? dentry : target.child);
    end_event(event);
  }
  return refusal(subject, EACCES);
}
