import { CgroupError } from '../../errors/cgroup-error.js'

/** What isn't named isn't limited. */
export interface CgroupLimits {
  /** Processors: 0.5 is half of one. From 0.001 to 1024. */
  readonly cpu?: number | undefined
  /** Bytes of memory, swap included, from 4096 on; the kernel rounds down to whole pages. */
  readonly memoryBytes?: number | undefined
  /** Tasks, that is processes and threads together, from 1 to 4194304. More than that many can't be forked. */
  readonly pids?: number | undefined
}

interface Range {
  readonly least: number
  readonly most: number
  readonly whole: boolean
  readonly unit: string
  readonly controller: 'cpu' | 'memory' | 'pids'
}

const ranges: Readonly<Record<keyof CgroupLimits, Range>> = {
  cpu: { least: 0.001, most: 1024, whole: false, unit: 'processors', controller: 'cpu' },
  memoryBytes: { least: 4096, most: Number.MAX_SAFE_INTEGER, whole: true, unit: 'bytes', controller: 'memory' },
  // PID_MAX_LIMIT, include/linux/threads.h
  pids: { least: 1, most: 4_194_304, whole: true, unit: 'tasks', controller: 'pids' },
}

/** A checked copy; `allowed` are the limits that this kind of group takes. @throws CgroupError */
export function checkLimits(limits: CgroupLimits, allowed: readonly (keyof CgroupLimits)[]): CgroupLimits {
  const checked: Record<string, number> = {}
  for (const [name, value] of Object.entries(limits as Record<string, unknown>)) {
    if (value === undefined) continue
    const range = Object.hasOwn(ranges, name) ? ranges[name as keyof CgroupLimits] : undefined
    if (range === undefined || !allowed.includes(name as keyof CgroupLimits))
      throw new CgroupError(`the limit ${name} is none of this group's: expected ${allowed.join(', ')}`, {
        controller: range?.controller,
      })
    const { least, most, whole, unit, controller } = range
    if (typeof value !== 'number' || !(value >= least && value <= most) || (whole && !Number.isInteger(value)))
      throw new CgroupError(
        `the limit ${name} must be ${whole ? 'a whole number' : 'a number'} of ${unit} from ${least} to ${most}, got ${String(value)}`,
        { controller },
      )
    checked[name] = value
  }
  return checked
}

/** Of the CPU bandwidth controller (Documentation/scheduler/sched-bwc.rst), both in microseconds. */
export interface Bandwidth {
  readonly quota: number
  readonly period: number
}

export const DEFAULT_PERIOD = 100_000
const LEAST_PERIOD = 20_000
const MOST_PERIOD = 1_000_000
const LEAST_QUOTA = 1000
/** What the kernel hands to a processor at a time: sched_cfs_bandwidth_slice_us. */
const SLICE = 5000

/**
 * A share of `cpu` processors. What is used up early in a period is paused for the rest of it: a guest with a small share
 * gets it in short periods, of a slice each, so that it isn't paused for long. The least share takes a longer period,
 * because the kernel takes no quota below a millisecond.
 */
export function bandwidth(cpu: number): Bandwidth {
  const wanted = cpu < 0.5 ? Math.min(Math.max(SLICE / cpu, LEAST_PERIOD), DEFAULT_PERIOD) : DEFAULT_PERIOD
  const period = Math.round(Math.min(Math.max(wanted, LEAST_QUOTA / cpu), MOST_PERIOD))
  return { quota: Math.max(LEAST_QUOTA, Math.round(cpu * period)), period }
}
