import { readdirSync, readFileSync } from 'node:fs'

/**
 * What this side's pid namespace calls a thread of `pid` that its own one calls `inner`, by `NSpid` of
 * /proc/PID/task/TID/status (proc(5), Linux 4.1); `undefined` if there is none.
 */
export function hostThread(pid: number, inner: number): number | undefined {
  if (inner === 0) return undefined
  try {
    return readdirSync(`/proc/${pid}/task`)
      .map(Number)
      .find((thread) => innermost(pid, thread) === inner)
  } catch {
    return undefined // the process has ended
  }
}

function innermost(pid: number, thread: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1')
    return Number(/^NSpid:.*?(\d+)$/m.exec(status)?.[1])
  } catch {
    return 0 // the thread has ended
  }
}
