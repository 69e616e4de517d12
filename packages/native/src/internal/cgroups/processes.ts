import { join } from 'node:path'

import { type CgroupHost, errnoOf, unless } from './host.js'

/** Tells this process and those that it started, and those started, from others. */
export function splitProcesses(
  host: CgroupHost,
  pids: readonly number[],
): { readonly ours: number[]; readonly others: number[] } {
  const ours: number[] = []
  const others: number[] = []
  for (const pid of pids) (isOurs(host, pid) ? ours : others).push(pid)
  return { ours, others }
}

function isOurs(host: CgroupHost, pid: number): boolean {
  for (let one = pid; one > 0; one = parentOf(host, one)) if (one === host.pid) return true
  return false
}

/** 0 for the first process, and for one that is gone. */
function parentOf(host: CgroupHost, pid: number): number {
  try {
    const stat = host.read(`/proc/${pid}/stat`)
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT' || errno === 'ESRCH') return 0
    throw error
  }
}

/** Moves processes into a group; those that end meanwhile need not be. */
export function moveAll(host: CgroupHost, pids: readonly number[], folder: string): void {
  for (const pid of pids) unless(['ESRCH'], () => host.write(join(folder, 'cgroup.procs'), String(pid)))
}
