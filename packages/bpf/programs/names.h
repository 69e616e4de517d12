// Changes of names and of what is behind them: each is a write of the entry. In the kernel's path_* hooks a folder
// comes with its mount, so the whole way up is known.
#pragma once

#include "file-check.h"

static __always_inline int check_write(const struct path* path, struct dentry* child) {
  const struct pyi_task* task = current_label();
  if (!task) return 0;
  const struct subject subject = subject_of(task);
  return check_file(&subject, (struct target){path, child}, OP_WRITE, NULL);
}

SEC("lsm/path_rmdir")
int BPF_PROG(pyi_path_rmdir, const struct path* folder, struct dentry* entry) { return check_write(folder, entry); }

SEC("lsm/path_symlink")
int BPF_PROG(pyi_path_symlink, const struct path* folder, struct dentry* entry) { return check_write(folder, entry); }

SEC("lsm/path_truncate")
int BPF_PROG(pyi_path_truncate, const struct path* path) { return check_write(path, NULL); }

SEC("lsm/path_chmod")
int BPF_PROG(pyi_path_chmod, const struct path* path) { return check_write(path, NULL); }

SEC("lsm/path_chown")
int BPF_PROG(pyi_path_chown, const struct path* path) { return check_write(path, NULL); }

SEC("lsm/path_unlink")
int BPF_PROG(pyi_path_unlink, const struct path* folder, struct dentry* entry) {
  struct pyi_task* task = current_label();
  if (!task) return 0;
  const struct subject subject = subject_of(task);
  __u64 bits = 0;
  const int result = check_file(&subject, (struct target){folder, entry}, OP_WRITE, &bits);
  if (result != 0 || !subject.sandbox) return result;
  begin_frame(task, subject.sandbox);
  task->path_bits = bits;
  bpf_tail_call(ctx, &pyi_on_unlink, subject.generation);
  return 0;
}

SEC("lsm/path_mkdir")
int BPF_PROG(pyi_path_mkdir, const struct path* folder, struct dentry* entry) {
  struct pyi_task* task = current_label();
  if (!task) return 0;
  const struct subject subject = subject_of(task);
  __u64 bits = 0;
  const int result = check_file(&subject, (struct target){folder, entry}, OP_WRITE, &bits);
  if (result != 0 || !subject.sandbox) return result;
  begin_frame(task, subject.sandbox);
  task->path_bits = bits;
  bpf_tail_call(ctx, &pyi_on_mkdir, subject.generation);
  return 0;
}
