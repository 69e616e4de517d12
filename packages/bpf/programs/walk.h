// Which rules fit a file: gathered from its inode and from every folder above it, by identity.
//
// The way up leads through mounts to the root of everything. A file in a bind mount has two ways up, the mount's and
// its own file system's: both are gone, so that a mount takes no file away from the rules of where it really is.
// Nothing is locked meanwhile: against a concurrent rename of a folder above, each step sees where that folder is or
// was.
#pragma once

#include "lsm-maps.h"
#include "subject.h"

#define STEPS 256

struct walk {
  struct dentry* dentry;
  struct dentry* child;  // where the last step was, when `dentry` is the folder it is in
  struct mount* mount;   // none on the way up behind a bind mount
  struct mount* behind;  // that mount, to be gone on from
  __u32 generation;
  __u32 kind;
  __u32 allow[3];
  __u32 deny;
  __u64 bits;
  bool self;  // still at the file itself
  bool child_self;
  bool behind_self;
  bool complete;
};

static __always_inline __u32 lower(__u32 a, __u32 b) { return a < b ? a : b; }

static __always_inline void gather(struct walk* walk, const struct pyi_node* node, bool self) {
  const __u32* allow = self ? node->allow_self : node->allow_below;
  walk->allow[0] = lower(walk->allow[0], allow[0]);
  walk->allow[1] = lower(walk->allow[1], allow[1]);
  walk->allow[2] = lower(walk->allow[2], allow[2]);
  walk->deny = lower(walk->deny, self ? node->deny_self : node->deny_below);
  walk->bits |= self ? node->bits_self : node->bits_below;
}

// A rule on a name in the folder: what is, or will be, there.
static __always_inline bool gather_name(struct walk* walk, __u64 dev, __u64 ino) {
  struct pyi_name_key* key =
      bpf_task_storage_get(&pyi_scratch, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!key) return false;
  __builtin_memset(key, 0, sizeof *key);
  key->generation = walk->generation;
  key->kind = walk->kind;
  key->dev = dev;
  key->ino = ino;
  // A variable of its own, here and below: BPF_CORE_READ would take our struct for one of the kernel's.
  struct dentry* child = walk->child;
  if (bpf_probe_read_kernel_str(key->name, sizeof key->name, BPF_CORE_READ(child, d_name.name)) < 0) return false;
  const struct pyi_node* node = bpf_map_lookup_elem(&pyi_names, key);
  if (node) gather(walk, node, walk->child_self);
  return true;
}

// False when what is there can't be found out.
static __always_inline bool visit(struct walk* walk) {
  struct dentry* dentry = walk->dentry;
  struct inode* inode = BPF_CORE_READ(dentry, d_inode);
  if (!inode) return true;  // a name that isn't there yet
  const struct pyi_node_key key = {
      .generation = walk->generation,
      .kind = walk->kind,
      .dev = BPF_CORE_READ(inode, i_sb, s_dev),
      .ino = BPF_CORE_READ(inode, i_ino),
  };
  const struct pyi_node* node = bpf_map_lookup_elem(&pyi_nodes, &key);
  if (!node) return true;
  gather(walk, node, walk->self);
  if (!(node->flags & PYI_NODE_NAMES) || !walk->child) return true;
  return gather_name(walk, key.dev, key.ino);
}

// From a mount's root to the place it is mounted at; false at the root of everything.
static __always_inline bool leave_mount(struct walk* walk, struct mount* mount, bool self) {
  struct mount* parent = BPF_CORE_READ(mount, mnt_parent);
  if (!parent || parent == mount) return false;
  walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
  walk->mount = parent;
  walk->behind = NULL;
  walk->child = NULL;
  walk->self = self;
  return true;
}

static long step(__u32 index, struct walk* walk) {
  struct dentry* dentry = walk->dentry;
  struct mount* mount = walk->mount;
  if (!dentry || !visit(walk)) return 1;
  struct dentry* parent = BPF_CORE_READ(dentry, d_parent);
  const bool top = parent == dentry;
  if (mount && !top && dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
    walk->behind = mount;
    walk->behind_self = walk->self;
    walk->mount = NULL;
  }
  if (!top) {
    walk->child = dentry;
    walk->child_self = walk->self;
    walk->dentry = parent;
    walk->self = false;
    return 0;
  }
  const bool went_on = mount          ? leave_mount(walk, mount, walk->self)
                       : walk->behind ? leave_mount(walk, walk->behind, walk->behind_self)
                                      : false;
  if (went_on) return 0;
  walk->complete = true;
  return 1;
}

static __always_inline struct mount* mount_of(struct vfsmount* mount) {
  return mount ? (void*)mount - bpf_core_field_offset(struct mount, mnt) : NULL;
}

// Without a mount only the way up its own file system is gone. A way that is too long, or was torn, allows nothing.
// `self`: what fits the file itself is asked for, not what fits anything below it.
static __always_inline struct walk walk_up(const struct subject* subject, __u32 kind, struct dentry* dentry,
                                           struct vfsmount* mount, bool self) {
  struct walk walk = {
      .dentry = dentry,
      .mount = mount_of(mount),
      .generation = subject->generation,
      .kind = kind,
      .allow = {PYI_NO_RULE, PYI_NO_RULE, PYI_NO_RULE},
      .deny = PYI_NO_RULE,
      .self = self,
  };
  bpf_loop(STEPS, step, &walk, 0);
  if (!walk.complete) walk.allow[0] = walk.allow[1] = walk.allow[2] = PYI_NO_RULE;
  return walk;
}

// Whether all of `ops` (bits of the three) are allowed; if not, `operation` is the one of them that isn't.
static __always_inline bool permits(const struct walk* walk, __u32 ops, __u32* operation) {
  *operation = ops & 1 ? 0 : ops & 2 ? 1 : 2;
  if (walk->deny != PYI_NO_RULE) return false;
  if ((ops & 1) && walk->allow[0] == PYI_NO_RULE) return *operation = 0, false;
  if ((ops & 2) && walk->allow[1] == PYI_NO_RULE) return *operation = 1, false;
  if ((ops & 4) && walk->allow[2] == PYI_NO_RULE) return *operation = 2, false;
  return true;
}
