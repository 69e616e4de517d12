import type { CgroupController } from '../../errors/cgroup-error.js'
import { bandwidth, type CgroupLimits, DEFAULT_PERIOD } from './limits.js'

/** A control file of a group and what to write into it. */
export type ControlWrite = readonly [file: string, value: string]

/** What this kernel's groups have beside what all have. */
export interface Features {
  /** v2: `memory.swap.max`; v1: `memory.memsw.limit_in_bytes`. */
  readonly swap: boolean
  /** v2: `memory.oom.group` (Linux 4.19). */
  readonly oomGroup: boolean
}

/** The writes that take one controller from the limits `now` to `next`, in order; never looser than both in between. */
export type Writes = (now: CgroupLimits, next: CgroupLimits, features: Features) => readonly ControlWrite[]

export const limitOf = { cpu: 'cpu', memory: 'memoryBytes', pids: 'pids' } as const

const pids: Writes = (_, next) => [['pids.max', String(next.pids ?? 'max')]]

/** Documentation/admin-guide/cgroup-v2.rst */
const version2: Readonly<Record<keyof typeof limitOf, Writes>> = {
  pids,
  cpu(_, { cpu }) {
    if (cpu === undefined) return [['cpu.max', `max ${DEFAULT_PERIOD}`]]
    const { quota, period } = bandwidth(cpu)
    return [['cpu.max', `${quota} ${period}`]]
  },
  memory(now, { memoryBytes }, { swap, oomGroup }) {
    const first = now.memoryBytes === undefined
    // Without swap, or what is beyond the limit would go there.
    const swapping: ControlWrite[] = swap ? [['memory.swap.max', memoryBytes === undefined ? 'max' : '0']] : []
    if (memoryBytes === undefined) return [['memory.max', 'max'], ...swapping]
    // All of a sandbox dies of its limit, not the task that the kernel happens to pick.
    const group: ControlWrite[] = first && oomGroup ? [['memory.oom.group', '1']] : []
    return [...group, ...(first ? swapping : []), ['memory.max', String(memoryBytes)]]
  },
}

/** Documentation/admin-guide/cgroup-v1/memory.rst, pids.rst; Documentation/scheduler/sched-bwc.rst */
const version1: Readonly<Record<keyof typeof limitOf, Writes>> = {
  pids,
  cpu(now, { cpu }) {
    const old = now.cpu === undefined ? DEFAULT_PERIOD : bandwidth(now.cpu).period
    // A group without a limit always has the kernel's own period.
    const { quota, period } = cpu === undefined ? { quota: -1, period: DEFAULT_PERIOD } : bandwidth(cpu)
    const writeQuota: ControlWrite = ['cpu.cfs_quota_us', String(quota)]
    const writePeriod: ControlWrite = ['cpu.cfs_period_us', String(period)]
    if (period === old) return [writeQuota]
    // Whichever tightens comes first.
    return period > old && now.cpu !== undefined ? [writePeriod, writeQuota] : [writeQuota, writePeriod]
  },
  memory(now, { memoryBytes }, { swap }) {
    const value = String(memoryBytes ?? -1)
    const memory: ControlWrite = ['memory.limit_in_bytes', value]
    // Where swap isn't accounted for, it is at least avoided.
    if (!swap) return now.memoryBytes === undefined ? [['memory.swappiness', '0'], memory] : [memory]
    const both: ControlWrite = ['memory.memsw.limit_in_bytes', value]
    // The kernel holds the limit of memory to be at most that of both together, at every moment.
    const shrinks = memoryBytes !== undefined && memoryBytes < (now.memoryBytes ?? Number.POSITIVE_INFINITY)
    return shrinks ? [memory, both] : [both, memory]
  },
}

export const writesOf = { v1: version1, v2: version2 } as const

/** A value that changes nothing in a new group, for trying out whether its limits can be written. */
export const trialWrite: Readonly<Record<'v1' | 'v2', Readonly<Partial<Record<CgroupController, ControlWrite>>>>> = {
  v1: { cpu: ['cpu.cfs_quota_us', '-1'], memory: ['memory.limit_in_bytes', '-1'], pids: ['pids.max', 'max'] },
  v2: { cpu: ['cpu.max', 'max'], memory: ['memory.max', 'max'], pids: ['pids.max', 'max'] },
}
