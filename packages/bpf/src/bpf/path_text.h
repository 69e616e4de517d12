/* The path of a denied file, for people: as the thread sees it, over every mount point up to its namespace's root. */
#ifndef PYISOLATE_BPF_PATH_TEXT_H
#define PYISOLATE_BPF_PATH_TEXT_H

#include "scratch.h"

static long write_name(__u32 step, struct scratch** context) {
  struct writing* w = &(*context)->writing;
  struct dentry* dentry = w->place.dentry;
  struct mount* mount = w->place.mount;
  if (mount && BPF_CORE_READ(mount, mnt.mnt_root) == dentry) {
    struct mount* above = BPF_CORE_READ(mount, mnt_parent);
    if (!above || above == mount) return 1;
    w->place.dentry = BPF_CORE_READ(mount, mnt_mountpoint);
    w->place.mount = above;
    return 0;
  }
  struct dentry* parent = BPF_CORE_READ(dentry, d_parent);
  if (!parent || parent == dentry) return 1;
  __u64 length = BPF_CORE_READ(dentry, d_name.len) & LONGEST_NAME;
  __u64 start = w->start;
  if (length + 1 > start) return 1; /* its end is what fits */
  /* The masks are for the verifier and change nothing. */
  start = (start - length) & (PYI_OBJECT_BYTES - 1);
  bpf_probe_read_kernel(&w->bytes[start], length, BPF_CORE_READ(dentry, d_name.name));
  start = (start - 1) & (PYI_OBJECT_BYTES - 1);
  w->bytes[start] = '/';
  w->start = start;
  w->place.dentry = parent;
  return 0;
}

/* `object` is zeroed. A path that is too long loses its beginning. */
static __always_inline void write_path(struct scratch* scratch, char* object, struct place place) {
  struct writing* w = &scratch->writing;
  w->place = place;
  w->start = PYI_OBJECT_BYTES - 1;
  bpf_loop(DEEPEST, write_name, &scratch, 0);
  __u64 start = w->start & (PYI_OBJECT_BYTES - 1);
  __u64 length = (PYI_OBJECT_BYTES - 1 - start) & (PYI_OBJECT_BYTES - 1);
  if (length == 0) {
    object[0] = '/';
    return;
  }
  bpf_probe_read_kernel(object, length, &w->bytes[start]);
}

#endif
