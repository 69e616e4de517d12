import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { CgroupError } from '../../errors/cgroup-error.js'
import { readControl, writeControl } from './control-file.js'
import type { Controller } from './hierarchy.js'
import type { Parent } from './parent.js'

export interface GroupLimits {
  /** Of one processor: 0.5 is half of one, 2 are two. */
  readonly cpu?: number
  /** Bytes, what the process had before its guest included. */
  readonly memory?: number
  readonly processes?: number
}

export interface GroupUsage {
  /** Milliseconds of CPU time, and of waiting for a share of it. */
  readonly cpuMs: number
  readonly throttledMs: number
}

/** Microseconds; the kernel's own default (cgroup-v2.rst, cpu.max). */
const period = 100_000
/** The least that the kernel takes (kernel/sched/core.c, min_cfs_quota_period). */
const leastQuota = 1000
const removeTries = 50

/** One sandbox's control groups: one of v2, or one in each hierarchy of v1. */
export class Group {
  readonly #folders: ReadonlyMap<Controller, { readonly folder: string; readonly version: 1 | 2 }>

  /** @throws CgroupError */
  constructor(parents: ReadonlyMap<Controller, Parent>, name: string) {
    const folders = new Map<Controller, { folder: string; version: 1 | 2 }>()
    for (const [controller, { folder, version }] of parents)
      folders.set(controller, { folder: join(folder, name), version })
    this.#folders = folders
    for (const { folder } of folders.values()) make(folder)
  }

  /** Live, too. A limit whose controller is missing is left out: the caller has looked. @throws CgroupError */
  limit({ cpu, memory, processes }: GroupLimits): void {
    if (cpu !== undefined) this.#limitCpu(cpu)
    if (memory !== undefined) this.#limitMemory(Math.ceil(memory))
    if (processes !== undefined) this.#write('pids', { 1: 'pids.max', 2: 'pids.max' }, String(processes))
  }

  /** Its threads and what it forks come along. @throws CgroupError */
  add(pid: number): void {
    for (const folder of new Set([...this.#folders.values()].map((one) => one.folder)))
      writeControl(join(folder, 'cgroup.procs'), String(pid))
  }

  /** @throws CgroupError */
  usage(): GroupUsage {
    const place = this.#folders.get('cpu')
    if (place === undefined) return { cpuMs: 0, throttledMs: 0 }
    const stat = new Map(
      readControl(join(place.folder, 'cpu.stat'))
        .split('\n')
        .map((line) => line.split(' ') as [string, string]),
    )
    const number = (name: string): number => Number(stat.get(name) ?? 0)
    return place.version === 2
      ? { cpuMs: number('usage_usec') / 1e3, throttledMs: number('throttled_usec') / 1e3 }
      : { cpuMs: 0, throttledMs: number('throttled_time') / 1e6 }
  }

  /** Once its processes have been reaped. The kernel may take a moment longer to let go of them. */
  async remove(): Promise<void> {
    for (const folder of new Set([...this.#folders.values()].map((one) => one.folder))) {
      for (let left = removeTries; left > 0 && !removed(folder); left--) await delay(2)
    }
  }

  #limitCpu(processors: number): void {
    const quota = Math.max(leastQuota, Math.round(processors * period))
    this.#write('cpu', { 2: 'cpu.max' }, `${quota} ${period}`)
    this.#write('cpu', { 1: 'cpu.cfs_period_us' }, String(period))
    this.#write('cpu', { 1: 'cpu.cfs_quota_us' }, String(quota))
  }

  #limitMemory(bytes: number): void {
    this.#write('memory', { 1: 'memory.limit_in_bytes', 2: 'memory.max' }, String(bytes))
    // Or what is beyond the limit would only be swapped out. A kernel without swap accounting has neither file.
    const swap = { 1: ['memory.memsw.limit_in_bytes', String(bytes)], 2: ['memory.swap.max', '0'] } as const
    const place = this.#folders.get('memory')
    if (place === undefined) return
    const [file, value] = swap[place.version]
    try {
      writeControl(join(place.folder, file), value)
    } catch (error) {
      if (!CgroupError.isInstance(error) || error.errno !== 'ENOENT') throw error
    }
  }

  #write(controller: Controller, files: { readonly 1?: string; readonly 2?: string }, value: string): void {
    const place = this.#folders.get(controller)
    const file = place && files[place.version]
    if (place !== undefined && file !== undefined) writeControl(join(place.folder, file), value)
  }
}

function make(folder: string): void {
  try {
    mkdirSync(folder)
  } catch (cause) {
    // Of v2 all controllers have one folder.
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw new CgroupError(folder, undefined, cause)
  }
}

function removed(folder: string): boolean {
  try {
    rmdirSync(folder)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}
