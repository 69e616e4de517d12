import type { CellLimits } from '@pyisolate/interface'
import type { Limits } from '../../limits.js'
import { type Budget, defaultBudget, maxDepth } from '../values/budget.js'
import { type Check, checkOptions, integer, orElse } from './check.js'
import { duration, size } from './quantities.js'

const MiB = 2 ** 20

/** `Limits` with every value settled; bytes and milliseconds. */
export type SettledLimits = { readonly [K in keyof Required<Limits>]: number }

export const defaultLimits: SettledLimits = Object.freeze({
  memory: 256 * MiB,
  callTime: 30_000,
  wallTime: Number.POSITIVE_INFINITY,
  cpuTime: Number.POSITIVE_INFINITY,
  threads: 16,
  openFiles: 64,
  fileSize: 64 * MiB,
  output: 16 * MiB,
  messages: Number.POSITIVE_INFINITY,
  unread: 16 * MiB,
  frame: defaultBudget.bytes,
  depth: defaultBudget.depth,
  items: defaultBudget.items,
})

/** A frame's header has 32 bits for its length; a little is left for what is around a value. */
const largestFrame = 2 ** 32 - 2 ** 16

/** Checks limits, and takes what isn't given from `base`. */
export function limits(base: SettledLimits): Check<SettledLimits> {
  return (value, at) => {
    if (value === undefined) return base
    return Object.freeze(
      checkOptions(value, at, {
        memory: orElse(size(8 * MiB, 2 ** 46), base.memory),
        callTime: orElse(duration, base.callTime),
        wallTime: orElse(duration, base.wallTime),
        cpuTime: orElse(duration, base.cpuTime),
        threads: orElse(integer(1, 4096), base.threads),
        openFiles: orElse(integer(8, 2 ** 20), base.openFiles),
        fileSize: orElse(size(0, Number.MAX_SAFE_INTEGER), base.fileSize),
        messages: orElse(integer(1, 2 ** 31), base.messages),
        output: orElse(size(0, Number.MAX_SAFE_INTEGER), base.output),
        unread: orElse(size(1024, Number.MAX_SAFE_INTEGER), base.unread),
        frame: orElse(size(1024, largestFrame), base.frame),
        depth: orElse(integer(2, maxDepth), base.depth),
        items: orElse(integer(16, 2 ** 31), base.items),
      }),
    )
  }
}

export function budgetOf({ frame, depth, items }: SettledLimits): Budget {
  return { bytes: frame, depth, items }
}

/** The part of them that the engine keeps. */
export function cellLimits(settled: SettledLimits): CellLimits {
  const { memory, cpuTime, threads, openFiles, fileSize, frame, depth, items } = settled
  const cpuSeconds = Number.isFinite(cpuTime) ? cpuTime / 1000 : 0
  return { memory, cpuSeconds, threads, openFiles, fileSize, frame, depth, items }
}

/** Of both, what allows less: a policy isn't loosened by the options it is spawned with. */
export function tighter(limits: SettledLimits, policy: Partial<Record<string, number>>): SettledLimits {
  const result: Record<string, number> = { ...limits }
  for (const [name, value] of Object.entries(policy)) {
    if (value !== undefined && Object.hasOwn(limits, name)) result[name] = Math.min(result[name]!, value)
  }
  return Object.freeze(result as SettledLimits)
}
