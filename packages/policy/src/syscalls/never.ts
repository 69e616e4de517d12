const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** What no policy can allow, whatever it is for, and why. A denial of them is taken, and changes nothing. */
const groups: readonly { readonly why: string; readonly names: readonly string[] }[] = [
  { why: 'it starts a program or a process', names: words('execve execveat fork vfork clone3 uselib') },
  {
    why: 'it reaches into other processes',
    names: words(`
      ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp pidfd_open pidfd_getfd
      pidfd_send_signal tkill rt_sigqueueinfo rt_tgsigqueueinfo tkill move_pages migrate_pages perf_event_open
      lookup_dcookie
    `),
  },
  {
    why: 'it makes calls that no filter sees',
    names: words('io_uring_setup io_uring_enter io_uring_register'),
  },
  {
    why: 'it loads code into the kernel, or changes what every process shares',
    names: words(`
      bpf seccomp userfaultfd init_module finit_module delete_module create_module query_module get_kernel_syms
      kexec_load kexec_file_load reboot syslog _sysctl acct swapon swapoff settimeofday clock_settime adjtimex
      clock_adjtime sethostname setdomainname vhangup ioperm iopl uprobe uretprobe nfsservctl quotactl quotactl_fd
      afs_syscall security tuxcall vserver getpmsg putpmsg
    `),
  },
  { why: "it reaches the kernel's keys, of other sandboxes too", names: words('add_key request_key keyctl') },
  {
    why: 'it changes what files and namespaces there are',
    names: words(`
      mount umount2 pivot_root chroot setns unshare open_tree open_tree_attr move_mount fsopen fsconfig fsmount fspick
      mount_setattr statmount listmount
    `),
  },
  {
    why: 'it changes who the sandbox is, or what its confinement rests on',
    names: words(`
      setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capset personality modify_ldt
      lsm_set_self_attr
    `),
  },
  {
    why: 'it makes memory that limits do not count, or that can be both written and run',
    names: words(
      'memfd_create memfd_secret remap_file_pages pkey_mprotect map_shadow_stack io_setup shmget shmat shmctl shmdt',
    ),
  },
  {
    why: 'it reaches queues and semaphores of other processes',
    names: words(`
      msgget msgsnd msgrcv msgctl semget semop semtimedop semctl mq_open mq_unlink mq_timedsend mq_timedreceive
      mq_notify mq_getsetattr
    `),
  },
  {
    why: 'it goes past the rules on files',
    names: words(`
      open_by_handle_at name_to_handle_at fanotify_init fanotify_mark inotify_add_watch mknod mknodat fchmod chown fchown
      lchown fchownat utime utimes futimesat setxattr lsetxattr fsetxattr setxattrat getxattr lgetxattr fgetxattr
      getxattrat listxattr llistxattr flistxattr listxattrat removexattr lremovexattr fremovexattr removexattrat
      file_getattr file_setattr
    `),
  },
]

/** Why a call can't be allowed, in words, if it can't. */
export function whyNever(name: string): string | undefined {
  return groups.find(({ names }) => names.includes(name))?.why
}
