/* Opening files. */
#ifndef PYISOLATE_BPF_FILE_HOOKS_H
#define PYISOLATE_BPF_FILE_HOOKS_H

#include "event.h"
#include "files.h"
#include "path_text.h"

/* include/linux/fs.h */
#define FMODE_READ 1
#define FMODE_WRITE 2
#define FMODE_EXEC_FLAG 0x20 /* __FMODE_EXEC, in f_flags */

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

/* 0, or what the hook returns. */
static __always_inline int judge_place(struct subject* s, struct place place, __u32 ops, __u32 operation) {
  struct scratch* scratch = current_scratch();
  __u32 rule = PYI_NO_RULE;
  if (scratch && has_policy(s)) {
    struct walk* walk = walk_from(scratch, place, s->slot);
    s->task->path_bits = walk->bits;
    if (decide(walk, ops, &rule)) return 0;
  }
  return refuse_place(s, scratch, place, rule, operation);
}

SEC("lsm/file_open")
int BPF_PROG(pyi_file_open, struct file* file) {
  struct subject s;
  if (!current_subject(&s)) return 0;
  __u32 mode = file->f_mode, ops = 0;
  if (file->f_flags & FMODE_EXEC_FLAG)
    ops = 1 << PYI_EXEC;
  else if (mode & FMODE_READ)
    ops = 1 << PYI_READ;
  if (mode & FMODE_WRITE) ops |= 1 << PYI_WRITE;
  if (!ops) ops = 1 << PYI_READ; /* access mode 3: for ioctl only (open(2)) */
  return judge_place(&s, place_of(&file->f_path), ops, PYI_DO_OPEN);
}

#endif
