/* Changes of folders and of what files are, all of them writing. */
#ifndef PYISOLATE_BPF_CHANGE_HOOKS_H
#define PYISOLATE_BPF_CHANGE_HOOKS_H

#include "judge_files.h"

/* stat.h, fs.h */
#define S_IFMT 0170000
#define S_IFCHR 0020000
#define S_IFBLK 0060000
#define S_IFSOCK 0140000
#define RENAME_EXCHANGE 2

SEC("lsm/path_unlink")
int BPF_PROG(pyi_path_unlink, const struct path* dir, struct dentry* dentry) {
  struct subject s;
  if (!current_subject(&s)) return 0;
  int error = judge(&s, entry_of(dir, dentry), 1 << PYI_WRITE, PYI_DO_UNLINK, 0);
  if (error) return error;
  begin_frame(&s);
  END_IN_CONTRACT(ctx, &s, contracts_unlink, PYI_DO_UNLINK);
}

SEC("lsm/path_mkdir")
int BPF_PROG(pyi_path_mkdir, const struct path* dir, struct dentry* dentry) {
  struct subject s;
  if (!current_subject(&s)) return 0;
  int error = judge(&s, entry_of(dir, dentry), 1 << PYI_WRITE, PYI_DO_MKDIR, 0);
  if (error) return error;
  begin_frame(&s);
  END_IN_CONTRACT(ctx, &s, contracts_mkdir, PYI_DO_MKDIR);
}

SEC("lsm/path_rename")
int BPF_PROG(pyi_path_rename, const struct path* old_dir, struct dentry* old_dentry, const struct path* new_dir,
             struct dentry* new_dentry, unsigned int flags) {
  struct subject s;
  if (!current_subject(&s)) return 0;
  /* Two moves at once, of which only one would be judged. */
  if (flags & RENAME_EXCHANGE) return refuse(&s, PYI_DO_RENAME, EACCES);
  int error = judge_move(&s, entry_of(old_dir, old_dentry), entry_of(new_dir, new_dentry), PYI_DO_RENAME);
  if (error) return error;
  begin_frame(&s);
  END_IN_CONTRACT(ctx, &s, contracts_rename, PYI_DO_RENAME);
}

SEC("lsm/path_link")
int BPF_PROG(pyi_path_link, struct dentry* old_dentry, const struct path* new_dir, struct dentry* new_dentry) {
  struct subject s;
  if (!current_subject(&s)) return 0;
  /* A link stays on its file system: the old name has the new one's mount, or one of the same root. */
  struct entry from = {.place = {.dentry = old_dentry, .mount = mount_of(BPF_CORE_READ(new_dir, mnt))}, .there = 1};
  return judge_move(&s, from, entry_of(new_dir, new_dentry), PYI_DO_LINK);
}

SEC("lsm/path_rmdir")
int BPF_PROG(pyi_path_rmdir, const struct path* dir, struct dentry* dentry) {
  struct subject s;
  return current_subject(&s) ? judge(&s, entry_of(dir, dentry), 1 << PYI_WRITE, PYI_DO_RMDIR, 0) : 0;
}

SEC("lsm/path_symlink")
int BPF_PROG(pyi_path_symlink, const struct path* dir, struct dentry* dentry) {
  struct subject s;
  return current_subject(&s) ? judge(&s, entry_of(dir, dentry), 1 << PYI_WRITE, PYI_DO_SYMLINK, 0) : 0;
}

/* Also how open(2) makes a file, and bind(2) a socket. */
SEC("lsm/path_mknod")
int BPF_PROG(pyi_path_mknod, const struct path* dir, struct dentry* dentry, unsigned short mode) {
  struct subject s;
  if (!current_subject(&s)) return 0;
  __u32 kind = mode & S_IFMT;
  if (kind == S_IFCHR || kind == S_IFBLK) return refuse(&s, PYI_DO_MKNOD, EPERM);
  if (kind == S_IFSOCK) return judge(&s, entry_of(dir, dentry), 1 << PYI_UNIX_BIND, PYI_DO_BIND, 0);
  return judge(&s, entry_of(dir, dentry), 1 << PYI_WRITE, PYI_DO_MKNOD, 0);
}

SEC("lsm/path_truncate")
int BPF_PROG(pyi_path_truncate, const struct path* path) {
  struct subject s;
  return current_subject(&s) ? judge_place(&s, place_of(path), 1 << PYI_WRITE, PYI_DO_TRUNCATE) : 0;
}

SEC("lsm/path_chmod")
int BPF_PROG(pyi_path_chmod, const struct path* path) {
  struct subject s;
  return current_subject(&s) ? judge_place(&s, place_of(path), 1 << PYI_WRITE, PYI_DO_CHMOD) : 0;
}

SEC("lsm/path_chown")
int BPF_PROG(pyi_path_chown, const struct path* path) {
  struct subject s;
  return current_subject(&s) ? judge_place(&s, place_of(path), 1 << PYI_WRITE, PYI_DO_CHOWN) : 0;
}

SEC("lsm/path_chroot")
int BPF_PROG(pyi_path_chroot, const struct path* path) {
  struct subject s;
  return current_subject(&s) ? refuse(&s, PYI_DO_CHROOT, EPERM) : 0;
}

#endif
