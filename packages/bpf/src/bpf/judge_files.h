/* Judges a place, or two, for one operation. */
#ifndef PYISOLATE_BPF_JUDGE_FILES_H
#define PYISOLATE_BPF_JUDGE_FILES_H

#include "contracts.h"
#include "files.h"
#include "path_text.h"

/* Some programs judge without contracts: these name no hook of theirs. */
static __always_inline int refuse_place(const struct subject* s, struct scratch* scratch, struct place place,
                                        __u32 rule, __u32 operation) {
  struct pyi_event* event = begin_event(s->sandbox);
  if (event) {
    fill_event(event, s, rule, operation, EACCES);
    if (scratch) write_path(scratch, event->object, place);
    bpf_ringbuf_submit(event, 0);
  }
  return verdict(s, EACCES);
}

/* An entry of a folder: what is there now, or may come to be. */
struct entry {
  struct place place;
  struct place folder;
  int there;
};

static __always_inline struct entry entry_of(const struct path* folder, struct dentry* dentry) {
  struct entry entry = {.place = {.dentry = dentry, .mount = mount_of(BPF_CORE_READ(folder, mnt))},
                        .folder = place_of(folder),
                        .there = BPF_CORE_READ(dentry, d_inode) != NULL};
  return entry;
}

static __always_inline struct walk* walk_entry(struct scratch* scratch, const struct entry* entry, __u32 slot) {
  if (entry->there) return walk_from(scratch, entry->place, slot, 0);
  return walk_from(scratch, entry->folder, slot, 1);
}

/* 0, or what the hook returns. `any`: one of the operations is enough. */
static __always_inline int judge(struct subject* s, struct entry entry, __u32 ops, __u32 operation, int any) {
  struct scratch* scratch = current_scratch();
  __u32 rule = PYI_NO_RULE;
  if (scratch && has_policy(s)) {
    struct walk* walk = walk_entry(scratch, &entry, s->slot);
    __u32 granted = permitted(walk) & ops;
    s->task->path_bits = walk->bits;
    if (any ? granted != 0 : granted == ops) return 0;
    rule = denying(walk, ops);
  }
  return refuse_place(s, scratch, entry.place, rule, operation);
}

static __always_inline int judge_place(struct subject* s, struct place place, __u32 ops, __u32 operation) {
  struct entry entry = {.place = place, .there = 1};
  return judge(s, entry, ops, operation, 0);
}

/*
 * A file gets another name: both are written to, and the new place may not allow what the old one didn't. Rules about
 * the file itself, and about what is in a folder, go with it: they are about identities.
 */
static __always_inline int judge_move(struct subject* s, struct entry from, struct entry to, __u32 operation) {
  struct scratch* scratch = current_scratch();
  __u32 rule = PYI_NO_RULE;
  if (!scratch || !has_policy(s)) return refuse_place(s, scratch, from.place, rule, operation);
  struct walk* walk = walk_from(scratch, from.place, s->slot, 0);
  __u32 before = permitted(walk);
  __u64 bits = walk->bits;
  if (!(before & 1 << PYI_WRITE)) return refuse_place(s, scratch, from.place, denying(walk, 1 << PYI_WRITE), operation);
  walk = walk_entry(scratch, &to, s->slot);
  s->task->path_bits = bits | walk->bits;
  if (!(permitted(walk) & 1 << PYI_WRITE))
    return refuse_place(s, scratch, to.place, denying(walk, 1 << PYI_WRITE), operation);
  walk = walk_from(scratch, to.folder, s->slot, 1);
  if (permitted(walk) & ~before) return refuse_place(s, scratch, to.place, rule, operation);
  return 0;
}

#endif
