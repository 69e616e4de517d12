import { getSystemErrorName } from 'node:util'

const advice: Readonly<Record<string, string>> = {
  EMFILE: 'this process has no descriptor left: close sandboxes or raise its limit of open files (ulimit -n)',
  ENFILE: 'the system has no descriptor left',
  ENOMEM: 'there is no memory left for another sandbox',
  EAGAIN:
    'a limit of processes or threads is reached: close sandboxes, or raise ulimit -u or the pids limit of the cgroup',
  ENOSPC: 'a limit of namespaces or shared memory is reached',
  ENOSYS: 'the kernel is too old or a filter refuses the call',
  EPERM: 'the host forbids it',
  EPIPE: 'the process that forks sandboxes ended',
}

/** A system call of the addon failed: `syscall`, `errno` and `code` as on Node's own system errors. */
export class SystemError extends Error {
  override readonly name = 'SystemError'
  readonly code: string
  readonly errno: number
  readonly syscall: string

  constructor(syscall: string, errno: number) {
    const code = errnoName(errno)
    super(`${syscall}: ${explainErrno(errno)}`)
    this.code = code
    this.errno = -errno
    this.syscall = syscall
  }
}

export function errnoName(errno: number): string {
  return Number.isInteger(errno) && errno > 0 && errno < 4096 ? getSystemErrorName(-errno) : 'EUNKNOWN'
}

/** The name of an errno and, for people, what to do about it. */
export function explainErrno(errno: number): string {
  const name = errnoName(errno)
  const hint = advice[name]
  return hint === undefined ? name : `${name} (${hint})`
}
