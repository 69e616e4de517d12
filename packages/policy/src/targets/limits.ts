import type { CompiledPolicy } from '../compile/compiled-policy.js'

/** What the cell itself needs, so that the limits are the guest's. */
export interface CellOverhead {
  /** Bytes, beside what the guest allocates: the interpreter's own. Default 0. */
  readonly memory?: number
  /** Threads of the engine in the cell. Default 1. */
  readonly threads?: number
}

/** Of setrlimit(2), soft and hard alike. */
export interface ResourceLimits {
  /** Seconds, rounded up: the supervisor's clock, which counts milliseconds, comes first. */
  readonly RLIMIT_CPU?: number
  /** Bytes beside what the interpreter has mapped at the start: private writable memory (Linux 4.7). */
  readonly RLIMIT_DATA?: number
  readonly RLIMIT_NOFILE?: number
  /** Bytes of one file. */
  readonly RLIMIT_FSIZE?: number
  /** Tasks of the user: of use only where each cell has a user of its own. */
  readonly RLIMIT_NPROC?: number
}

/** Contents by name of file, to be written in this order. */
export type ControlFiles = Readonly<Record<string, string>>

/** A policy's limits for each who keeps them; what isn't limited isn't there. */
export interface LimitsTarget {
  readonly rlimits: ResourceLimits
  /** cgroup v2: files of one group (Documentation/admin-guide/cgroup-v2.rst). */
  readonly cgroup2: ControlFiles
  /** cgroup v1: files of one group in each controller's hierarchy (Documentation/admin-guide/cgroup-v1). */
  readonly cgroup1: Readonly<Record<'memory' | 'cpu' | 'pids', ControlFiles>>
  /** What the supervisor counts itself: milliseconds, bytes, messages. */
  readonly supervisor: {
    readonly wallTime?: number
    readonly cpuTime?: number
    readonly output?: number
    readonly messages?: number
  }
  /** Bytes a second, of all the sandbox's sockets together. */
  readonly bandwidth: { readonly in?: number; readonly out?: number }
  /** Kept by the system calls that no cell has: there is one process, so every number of them holds. */
  readonly processes?: number
}

/** Of the CPU bandwidth controller, in microseconds. */
const period = 100_000
const leastQuota = 1000

export function compileLimits({ limits }: CompiledPolicy, overhead: CellOverhead = {}): LimitsTarget {
  const memory = limits.memory === undefined ? undefined : String(limits.memory + (overhead.memory ?? 0))
  const tasks = limits.threads === undefined ? undefined : limits.threads + (overhead.threads ?? 1)
  const quota = limits.cpu === undefined ? undefined : String(Math.max(leastQuota, Math.round(limits.cpu * period)))
  const { cpuTime, wallTime, output, messages, bandwidthIn, bandwidthOut, processes } = limits
  return {
    rlimits: given({
      RLIMIT_CPU: cpuTime === undefined ? undefined : Math.ceil(cpuTime / 1000),
      RLIMIT_DATA: limits.memory,
      RLIMIT_NOFILE: limits.openFiles,
      RLIMIT_FSIZE: limits.fileSize,
      RLIMIT_NPROC: tasks,
    }),
    cgroup2: given({
      // Without swap, or memory beyond the limit would go there; all of the cell dies of it, not the task it picks.
      'memory.max': memory,
      'memory.swap.max': memory === undefined ? undefined : '0',
      'memory.oom.group': memory === undefined ? undefined : '1',
      'cpu.max': quota === undefined ? undefined : `${quota} ${period}`,
      'pids.max': tasks === undefined ? undefined : String(tasks),
    }),
    cgroup1: {
      memory: given({ 'memory.limit_in_bytes': memory, 'memory.memsw.limit_in_bytes': memory }),
      cpu: given({
        'cpu.cfs_period_us': quota === undefined ? undefined : String(period),
        'cpu.cfs_quota_us': quota,
      }),
      pids: given({ 'pids.max': tasks === undefined ? undefined : String(tasks) }),
    },
    supervisor: given({ wallTime, cpuTime, output, messages }),
    bandwidth: given({ in: bandwidthIn, out: bandwidthOut }),
    ...given({ processes }),
  }
}

type Given<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> }

/** Without what isn't there. */
function given<T extends object>(all: T): Given<T> {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Given<T>
}
