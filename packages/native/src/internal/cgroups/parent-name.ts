import { randomBytes } from 'node:crypto'

import { type CgroupHost, errnoOf } from './host.js'

/** Whose groups are below a folder, and since when it runs: enough to tell that it is gone. */
interface Owner {
  readonly pid: number
  /** Clock ticks since boot. */
  readonly started: string
  /** Inode of the pid namespace that the pid is one of. */
  readonly namespace: string
}

const pattern = /^pyisolate-(\d{1,10})-(\d{1,20})-(\d{1,20})-[0-9a-f]{8}$/

/** A new name for this process's own parent group. */
export function parentName(host: CgroupHost): string {
  const { pid } = host
  return `pyisolate-${pid}-${startOf(host, pid)}-${pidNamespace(host)}-${randomBytes(4).toString('hex')}`
}

export function isParentName(name: string): boolean {
  return pattern.test(name)
}

/** The folder of a supervisor that doesn't run any more. In doubt, and in another pid namespace, it does. */
export function isStale(host: CgroupHost, name: string): boolean {
  const match = pattern.exec(name)
  if (!match) return false
  const owner: Owner = { pid: Number(match[1]), started: match[2]!, namespace: match[3]! }
  if (owner.namespace !== pidNamespace(host)) return false
  try {
    host.signal(owner.pid, 0)
  } catch (error) {
    // EPERM: it runs as another user.
    if (errnoOf(error) === 'ESRCH') return true
  }
  try {
    return startOf(host, owner.pid) !== owner.started
  } catch (error) {
    // Its files may be hidden (hidepid of proc(5)), or it ended just now: another time, then.
    errnoOf(error)
    return false
  }
}

/** Field 22 of proc_pid_stat(5), in clock ticks since boot; the name in field 2 may hold anything. */
function startOf(host: CgroupHost, pid: number): string {
  const stat = host.read(`/proc/${pid}/stat`)
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

function pidNamespace(host: CgroupHost): string {
  return /\d+/.exec(host.link('/proc/self/ns/pid'))?.[0] ?? '0'
}
