/* Opening, running and mapping files. */
#ifndef PYISOLATE_BPF_FILE_HOOKS_H
#define PYISOLATE_BPF_FILE_HOOKS_H

#include "judge_files.h"

/* include/linux/fs.h, include/linux/mm.h, mman.h */
#define FMODE_READ 1
#define FMODE_WRITE 2
#define FMODE_EXEC_FLAG 0x20 /* __FMODE_EXEC, in f_flags */
#define VM_EXEC 4
#define PROT_EXEC 4

SEC("lsm/file_open")
int BPF_PROG(pyi_file_open, struct file* file) {
  struct subject s;
  if (!current_subject(&s)) return 0;
  __u32 mode = file->f_mode, ops = 0, runs = file->f_flags & FMODE_EXEC_FLAG;
  if (runs)
    ops = 1 << PYI_EXEC;
  else if (mode & FMODE_READ)
    ops = 1 << PYI_READ;
  if (mode & FMODE_WRITE) ops |= 1 << PYI_WRITE;
  if (!ops) ops = 1 << PYI_READ; /* access mode 3: for ioctl only (open(2)) */
  int error = judge_place(&s, place_of(&file->f_path), ops, runs ? PYI_DO_EXEC : PYI_DO_OPEN);
  if (error || runs) return error;
  if (s.sandbox) count(&s.sandbox->opens, 1);
  struct pyi_task* frame = begin_frame(&s);
  frame->writes = (mode & FMODE_WRITE) != 0;
  END_IN_CONTRACT(ctx, &s, contracts_open, PYI_DO_OPEN);
}

/* For a script this is asked of the script and of its interpreter. */
SEC("lsm/bprm_check_security")
int BPF_PROG(pyi_bprm_check, struct linux_binprm* bprm) {
  struct subject s;
  if (!current_subject(&s)) return 0;
  struct file* file = bprm->file;
  int error = judge_place(&s, place_of(&file->f_path), 1 << PYI_EXEC, PYI_DO_EXEC);
  if (error) return error;
  begin_frame(&s);
  END_IN_CONTRACT(ctx, &s, contracts_exec, PYI_DO_EXEC);
}

/* Code comes from files that may be run; memory without a file is not a matter of file rules. */
SEC("lsm/mmap_file")
int BPF_PROG(pyi_mmap_file, struct file* file, unsigned long reqprot, unsigned long prot) {
  struct subject s;
  if (!file || !((reqprot | prot) & PROT_EXEC) || !current_subject(&s)) return 0;
  return judge_place(&s, place_of(&file->f_path), 1 << PYI_EXEC, PYI_DO_MMAP);
}

SEC("lsm/file_mprotect")
int BPF_PROG(pyi_file_mprotect, struct vm_area_struct* vma, unsigned long reqprot, unsigned long prot) {
  struct subject s;
  if (!((reqprot | prot) & PROT_EXEC) || BPF_CORE_READ(vma, vm_flags) & VM_EXEC) return 0;
  struct file* file = BPF_CORE_READ(vma, vm_file);
  if (!file || !current_subject(&s)) return 0;
  return judge_place(&s, place_of(&file->f_path), 1 << PYI_EXEC, PYI_DO_MPROTECT);
}

#endif
