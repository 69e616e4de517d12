/* Where a file is: a walk from a directory entry through its ancestors, over mount points, to the root. */
#ifndef PYISOLATE_BPF_PLACE_H
#define PYISOLATE_BPF_PLACE_H

#include "kernel.h"

/* A path has at most 2,047 names (PATH_MAX 4,096, a name and a slash each); deeper places are denied. */
#define DEEPEST 2048

struct place {
  struct dentry* dentry;
  struct mount* mount; /* NULL: not known, the walk ends at the file system's root */
};

static __always_inline struct mount* mount_of(struct vfsmount* mnt) {
  if (!mnt) return NULL;
  return (struct mount*)((void*)mnt - bpf_core_field_offset(struct mount, mnt));
}

static __always_inline struct place place_of(const struct path* path) {
  struct place place = {.dentry = BPF_CORE_READ(path, dentry), .mount = mount_of(BPF_CORE_READ(path, mnt))};
  return place;
}

/*
 * One step up by the file system's own tree, so that a bind mount shows nothing in a better light than the place it
 * shows. Only a whole file system goes on where it is mounted. 0: that was the root.
 */
static __always_inline int step_up(struct place* place) {
  struct dentry* dentry = place->dentry;
  struct dentry* parent = BPF_CORE_READ(dentry, d_parent);
  if (parent && parent != dentry) {
    place->dentry = parent;
    return 1;
  }
  struct mount* mount = place->mount;
  if (!mount || BPF_CORE_READ(mount, mnt.mnt_root) != dentry) return 0;
  struct mount* above = BPF_CORE_READ(mount, mnt_parent);
  if (!above || above == mount) return 0;
  place->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
  place->mount = above;
  return place->dentry != NULL;
}

#endif
