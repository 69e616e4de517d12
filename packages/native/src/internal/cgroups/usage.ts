import { join } from 'node:path'

import type { CgroupController } from '../../errors/cgroup-error.js'
import { type CgroupHost, unless } from './host.js'

/** What a group used; a part is `undefined` where its controller, or the kernel's count, is missing. */
export interface CgroupUsage {
  readonly cpu:
    | {
        /** Microseconds of all its tasks, ended ones too. `undefined`: version 1 without `cpuacct`. */
        readonly usageUs: number | undefined
        /** Microseconds that its run queues were paused for its limit, summed over processors. */
        readonly throttledUs: number
        /** Periods in which it ran, and those of them in which it was paused. */
        readonly periods: number
        readonly throttledPeriods: number
      }
    | undefined
  readonly memory:
    | {
        readonly currentBytes: number
        /** Version 2: from Linux 5.19 on. */
        readonly peakBytes: number | undefined
        /** Processes that were killed for the limit. Version 1: from Linux 4.13 on. */
        readonly oomKills: number | undefined
      }
    | undefined
  readonly pids:
    | {
        readonly current: number
        /** Forks that were refused. In version 2 from Linux 6.11 on, those for limits of groups below it aren't counted. */
        readonly refused: number | undefined
      }
    | undefined
}

/** The folder of the group in the hierarchy of a controller. */
export type Locate = (
  controller: CgroupController,
) => { readonly folder: string; readonly version: 'v1' | 'v2' } | undefined

/** @throws the host's errors */
export function readUsage(host: CgroupHost, locate: Locate): CgroupUsage {
  return { cpu: cpuUsage(host, locate), memory: memoryUsage(host, locate), pids: pidsUsage(host, locate) }
}

function cpuUsage(host: CgroupHost, locate: Locate): CgroupUsage['cpu'] {
  const place = locate('cpu')
  if (place === undefined) return undefined
  const stat = fields(host.read(join(place.folder, 'cpu.stat')))
  const counts = { periods: stat.get('nr_periods') ?? 0, throttledPeriods: stat.get('nr_throttled') ?? 0 }
  if (place.version === 'v2')
    return { usageUs: stat.get('usage_usec'), throttledUs: stat.get('throttled_usec') ?? 0, ...counts }
  const accounting = locate('cpuacct')
  const usageNs = accounting && number(host.read(join(accounting.folder, 'cpuacct.usage')))
  const throttledUs = Math.round((stat.get('throttled_time') ?? 0) / 1000)
  return { usageUs: usageNs === undefined ? undefined : Math.round(usageNs / 1000), throttledUs, ...counts }
}

/** One read, of the folder of a group in the hierarchy of `cpu`, in either version; `undefined` once that is gone. */
export function readThrottled(host: CgroupHost, folder: string): number | undefined {
  let periods: number | undefined
  // ENODEV: removed while it was open.
  unless(['ENOENT', 'ENODEV'], () => {
    periods = fields(host.read(join(folder, 'cpu.stat'))).get('nr_throttled')
  })
  return periods
}

function memoryUsage(host: CgroupHost, locate: Locate): CgroupUsage['memory'] {
  const place = locate('memory')
  if (place === undefined) return undefined
  const [current, peak, events] =
    place.version === 'v2'
      ? ['memory.current', 'memory.peak', 'memory.events']
      : ['memory.usage_in_bytes', 'memory.max_usage_in_bytes', 'memory.oom_control']
  return {
    currentBytes: number(host.read(join(place.folder, current!))),
    peakBytes: optional(host, join(place.folder, peak!), number),
    oomKills: fields(host.read(join(place.folder, events!))).get('oom_kill'),
  }
}

function pidsUsage(host: CgroupHost, locate: Locate): CgroupUsage['pids'] {
  const place = locate('pids')
  if (place === undefined) return undefined
  return {
    current: number(host.read(join(place.folder, 'pids.current'))),
    refused: optional(host, join(place.folder, 'pids.events'), (text) => fields(text).get('max')),
  }
}

/** Of a file that not every kernel has. */
function optional<T>(host: CgroupHost, file: string, parse: (text: string) => T): T | undefined {
  let value: T | undefined
  unless(['ENOENT'], () => {
    value = parse(host.read(file))
  })
  return value
}

const number = (text: string): number => Number.parseInt(text, 10)

/** A "flat keyed" file: a name and a number a line. */
function fields(text: string): Map<string, number> {
  return new Map(
    text.split('\n').flatMap((line): [string, number][] => {
      const [name, value] = line.split(' ')
      return name === undefined || value === undefined ? [] : [[name, Number(value)]]
    }),
  )
}
