// A file under another name comes under that name's rules: they may allow no more than those it had.
#pragma once

#include "file-check.h"

#define RENAME_EXCHANGE 2

// Whether nothing can be read or run at its new place that couldn't at its old one; if not, `operation` is what could.
static __always_inline bool keeps_rights(const struct subject* subject, const struct target* from,
                                         const struct target* to, bool self, __u32* operation) {
  const struct walk old = walk_up(subject, PYI_KIND_FILE, from->child, from->path->mnt, self);
  const struct walk new = walk_up(subject, PYI_KIND_FILE, to->child, to->path->mnt, self);
  *operation = PYI_READ;
  if (new.allow[0] != PYI_NO_RULE && old.allow[0] == PYI_NO_RULE) return false;
  *operation = PYI_EXEC;
  return new.allow[2] == PYI_NO_RULE || old.allow[2] != PYI_NO_RULE;
}

static __always_inline int check_move(const struct subject* subject, struct target from, struct target to) {
  int result = check_file(subject, from, OP_WRITE, NULL);
  if (result == 0) result = check_file(subject, to, OP_WRITE, NULL);
  if (result != 0) return result;
  __u32 operation = 0;
  struct dentry* moved = from.child;
  const bool folder = (BPF_CORE_READ(moved, d_inode, i_mode) & S_IFMT) == S_IFDIR;
  // With a folder comes what is below it, to which no rule on the folder alone applies.
  if (keeps_rights(subject, &from, &to, true, &operation) &&
      (!folder || keeps_rights(subject, &from, &to, false, &operation)))
    return 0;
  struct pyi_event* event = begin_event(subject, operation, PYI_NO_RULE, EACCES);
  if (event) {
    name_object(event, from.bare ? NULL : from.path, from.child);
    end_event(event);
  }
  return refusal(subject, EACCES);
}

// Both names are in one mount (link(2): EXDEV otherwise), but the old one's folder isn't told.
SEC("lsm/path_link")
int BPF_PROG(pyi_path_link, struct dentry* old, const struct path* folder, struct dentry* entry) {
  const struct pyi_task* task = current_label();
  if (!task) return 0;
  const struct subject subject = subject_of(task);
  return check_move(&subject, (struct target){folder, old, true}, (struct target){folder, entry, false});
}

SEC("lsm/path_rename")
int BPF_PROG(pyi_path_rename, const struct path* from, struct dentry* old, const struct path* to, struct dentry* new,
             unsigned int flags) {
  struct pyi_task* task = current_label();
  if (!task) return 0;
  const struct subject subject = subject_of(task);
  const struct target source = {from, old, false};
  const struct target place = {to, new, false};
  int result = check_move(&subject, source, place);
  if (result == 0 && (flags & RENAME_EXCHANGE)) result = check_move(&subject, place, source);
  if (result != 0 || !subject.sandbox) return result;
  const struct walk walk = walk_up(&subject, PYI_KIND_FILE, old, from->mnt, true);
  begin_frame(task, subject.sandbox);
  task->path_bits = walk.bits;
  bpf_tail_call(ctx, &pyi_on_rename, subject.generation);
  return 0;
}
