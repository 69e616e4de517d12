const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/**
 * The profile `default`: what CPython, its standard library and glibc need of a process that computes. A test holds it
 * to the filter that the engine makes.
 */
export const defaultProfile = {
  /** Whatever their arguments are. Which files those on paths reach, rules on files and Landlock say. */
  allow: words(`
    access alarm arch_prctl brk capget chdir clock_getres clock_gettime clock_nanosleep close close_range
    copy_file_range dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait
    eventfd eventfd2 exit exit_group faccessat faccessat2 fadvise64 fchdir fdatasync fstat fstatfs fsync
    ftruncate futex futex_waitv get_robust_list getcpu getcwd getdents getdents64 getegid geteuid getgid
    getgroups getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid
    getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid lseek lstat madvise
    membarrier mincore mlock mremap munlock munmap nanosleep newfstatat open openat openat2 pause pipe pipe2
    poll ppoll pread64 preadv preadv2 pselect6 pwrite64 pwritev pwritev2 read readlink readlinkat readv
    recvfrom recvmmsg recvmsg restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn
    rt_sigsuspend rt_sigtimedwait sched_get_priority_max sched_get_priority_min sched_getaffinity
    sched_getparam sched_getscheduler sched_yield select sendfile sendmmsg sendmsg sendto set_robust_list
    set_tid_address setitimer setrlimit shutdown sigaltstack splice stat statfs statx sysinfo tee time
    timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime
    timerfd_settime times umask uname wait4 waitid write writev
  `),
  /** Only with arguments that are harmless: threads but no processes, memory that is never both written and run. */
  byArgument: words(`
    clone fcntl ioctl kill mmap mprotect prctl prlimit64 socketpair tgkill
  `),
  /** Decided by rules on files and on the network; where no broker takes them, they are denied. */
  ruled: words(`
    accept accept4 bind chmod connect creat fchmodat fchmodat2 link linkat listen mkdir mkdirat rename
    renameat renameat2 rmdir setsockopt socket symlink symlinkat truncate unlink unlinkat utimensat
  `),
}
