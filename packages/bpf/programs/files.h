// Opening, running and mapping files.
#pragma once

#include "file-check.h"

SEC("lsm/file_open")
int BPF_PROG(pyi_file_open, struct file* file) {
  struct pyi_task* task = current_label();
  if (!task) return 0;
  const struct subject subject = subject_of(task);
  const __u32 mode = file->f_mode;
  const bool runs = file->f_flags & FMODE_EXEC;
  __u32 ops = runs ? OP_EXEC : (mode & FMODE_READ ? OP_READ : 0) | (mode & FMODE_WRITE ? OP_WRITE : 0);
  if (!ops) ops = OP_READ | OP_WRITE;  // opened for ioctl(2) alone
  __u64 bits = 0;
  const int result = check_file(&subject, (struct target){&file->f_path, NULL}, ops, &bits);
  if (result != 0 || !subject.sandbox || runs) return result;
  count(&subject.sandbox->opens, 1);
  begin_frame(task, subject.sandbox);
  task->path_bits = bits;
  task->writes = (mode & FMODE_WRITE) != 0;
  bpf_tail_call(ctx, &pyi_on_open, subject.generation);
  return 0;
}

SEC("lsm/bprm_check_security")
int BPF_PROG(pyi_bprm_check_security, struct linux_binprm* bprm) {
  struct pyi_task* task = current_label();
  if (!task) return 0;
  const struct subject subject = subject_of(task);
  __u64 bits = 0;
  const int result = check_file(&subject, (struct target){&bprm->file->f_path, NULL}, OP_EXEC, &bits);
  if (result != 0 || !subject.sandbox) return result;
  begin_frame(task, subject.sandbox);
  task->path_bits = bits;
  bpf_tail_call(ctx, &pyi_on_exec, subject.generation);
  return 0;
}

// Code from elsewhere than a file that may be run: just-in-time compilers need it, and exploits.
static __always_inline int check_memory(const struct subject* subject) {
  return subject->flags & PYI_GENERATION_EXECUTABLE_MEMORY ? 0 : deny(subject, PYI_MEMORY, EACCES);
}

SEC("lsm/mmap_file")
int BPF_PROG(pyi_mmap_file, struct file* file, unsigned long reqprot, unsigned long prot) {
  if (!(prot & PROT_EXEC)) return 0;
  const struct pyi_task* task = current_label();
  if (!task) return 0;
  const struct subject subject = subject_of(task);
  if (!file || (prot & PROT_WRITE)) {
    const int result = check_memory(&subject);
    if (result != 0 || !file) return result;
  }
  return check_file(&subject, (struct target){&file->f_path, NULL}, OP_EXEC, NULL);
}

SEC("lsm/file_mprotect")
int BPF_PROG(pyi_file_mprotect, struct vm_area_struct* area, unsigned long reqprot, unsigned long prot) {
  if (!(prot & PROT_EXEC)) return 0;
  const struct pyi_task* task = current_label();
  if (!task) return 0;
  const bool was = area->vm_flags & VM_EXEC;
  if (was && !(prot & PROT_WRITE)) return 0;
  const struct subject subject = subject_of(task);
  struct file* file = area->vm_file;
  // A private copy of a file's pages may hold anything by now.
  const int result = check_memory(&subject);
  if (result != 0 || !file) return result;
  return check_file(&subject, (struct target){&file->f_path, NULL, true}, OP_EXEC, NULL);
}

// A descriptor that another process passes on opens nothing that its receiver couldn't. What isn't in any folder
// (pipes, sockets, memory) is the giver's to give.
SEC("lsm/file_receive")
int BPF_PROG(pyi_file_receive, struct file* file) {
  const struct pyi_task* task = current_label();
  if (!task) return 0;
  const __u32 type = file->f_inode->i_mode & S_IFMT;
  if (type != S_IFREG && type != S_IFDIR && type != S_IFBLK && type != S_IFCHR) return 0;
  if (file->f_path.mnt->mnt_flags & MNT_INTERNAL) return 0;
  const struct subject subject = subject_of(task);
  const __u32 mode = file->f_mode;
  const __u32 ops = (mode & FMODE_READ ? OP_READ : 0) | (mode & FMODE_WRITE ? OP_WRITE : 0);
  return check_file(&subject, (struct target){&file->f_path, NULL}, ops ? ops : OP_READ, NULL);
}
