import { dirname } from 'node:path'

import { type CgroupController, CgroupError } from '../../errors/cgroup-error.js'
import { errnoOf } from './host.js'

const delegate = 'run under `systemd-run --user --scope -p Delegate=yes`, in a unit with Delegate=yes, or as root'

/** What to do about it, for people. Errors of the files: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/. */
const advice: Readonly<Record<string, string>> = {
  EACCES: `this user may not change the group: ${delegate}`,
  EPERM: `this user may not change the group: ${delegate}`,
  EROFS:
    'cgroups are mounted read-only, as containers have them: mount them writable, or delegate a group to the container',
  ENOENT: 'the group or its controller is gone, or the kernel was built without it',
  ESRCH: 'that process or thread has ended',
  EINVAL: 'the kernel refuses the value: a group above this one may allow less',
  EBUSY: 'what is in use there does not fit or has not ended: end processes, or choose a higher limit',
  EAGAIN: 'a limit of the number of groups is reached (cgroup.max.descendants): remove groups, or raise it',
  ENOSPC: 'the kernel has no number left for another group: remove groups',
  ENOMEM: 'the kernel has no memory left for another group',
  EOPNOTSUPP: 'a group of threads only takes threads of the process that its parent group holds',
}

/** A failed call on `file` (a control file or a group's folder) as the error that callers get. */
export function failure(
  what: string,
  file: string,
  controller: CgroupController | undefined,
  cause: unknown,
): CgroupError {
  if (cause instanceof CgroupError) return cause
  const errno = errnoOf(cause)
  return new CgroupError(`${what}: ${explain(file, errno)}`, { controller, file, errno, cause })
}

/** Why a controller can't be used: one sentence for a report. */
export function reason(file: string, cause: unknown): string {
  return cause instanceof CgroupError ? cause.message : explain(file, errnoOf(cause))
}

/** As the kernel's own EBUSY, for what was found to be in use. */
export function inUse(): Error {
  return Object.assign(new Error('in use'), { code: 'EBUSY' })
}

function explain(file: string, errno: string): string {
  const hint = advice[errno]
  return `${file}: ${errno}${hint === undefined ? '' : ` (${hint})`}`
}

/** Why a group can't be used that others' processes are in; `file` is its cgroup.procs. */
export function occupied(file: string, pids: readonly number[]): string {
  const some = pids.slice(0, 5).join(', ')
  return (
    `${dirname(file)} holds processes that this one did not start (${some}${pids.length > 5 ? ', …' : ''}), and a group with processes ` +
    `can't pass controllers on: ${delegate}, or let openCgroups move them with \`processes: 'all'\``
  )
}
