import { join } from 'node:path'

import { type CgroupController, CgroupError } from '../../errors/cgroup-error.js'
import { limitOf } from './control-writes.js'
import type { Group } from './group.js'
import { type CgroupHost, kernelHost } from './host.js'
import type { CgroupLimits } from './limits.js'
import { type CgroupReport, type LimitController, openTrees } from './open-trees.js'
import { SandboxGroup } from './sandbox-group.js'
import type { Tree } from './tree.js'

export interface CgroupOptions {
  /**
   * A group that was prepared for this program, as a path in the hierarchies, such as `/pyisolate`. Default: the group
   * that this process is in.
   */
  readonly parent?: string
  /**
   * In version 2 a group that holds processes can't be divided. If ours does, this process and its children are moved
   * to a group below it (`own`, the default), and back at the end. `all` moves whatever else is in it, too, such as
   * the shell that started us: for a container or a scope that is all ours.
   */
  readonly processes?: 'own' | 'all'
}

const wanted = ['cpu', 'memory', 'pids'] as const
const everything: readonly CgroupController[] = [...wanted, 'cpuacct']

/** The control groups of one supervisor, and what this host grants: found out by making some. */
export class Cgroups implements AsyncDisposable {
  readonly report: CgroupReport
  readonly #host: CgroupHost
  readonly #trees: readonly Tree[]
  readonly #groups = new Set<Group>()
  #made = 0
  #closed = false

  private constructor(host: CgroupHost, trees: readonly Tree[], report: CgroupReport) {
    this.#host = host
    this.#trees = trees
    this.report = report
  }

  /**
   * Makes a group in each hierarchy, writes limits, and moves this process there and back. A controller that can't be had is
   * in the report; nothing throws for it. One per process is meant. `host`: for tests. @throws CgroupError for wrong options
   */
  static open(options: CgroupOptions = {}, host: CgroupHost = kernelHost): Cgroups {
    const { parent, processes = 'own' } = options
    checkOptions(parent, processes)
    const { trees, report } = openTrees(host, parent, processes)
    return new Cgroups(host, trees, report)
  }

  /** Why a controller can't be had, for people; `undefined` if it can. */
  missing(controller: LimitController): string | undefined {
    const entry = this.report[controller]
    return typeof entry === 'string' ? undefined : entry.missing
  }

  /**
   * A group that can have limits of these controllers. In version 1 each costs a folder, and CPU time is only counted with
   * `cpuacct`. @throws CgroupError for a limit out of range, one that no controller here keeps, a refusal of the kernel's
   */
  create(controllers: readonly CgroupController[] = everything, limits: CgroupLimits = {}): SandboxGroup {
    if (this.#closed) throw new CgroupError('the control groups are closed: open them again')
    const name = `cell-${++this.#made}`
    const trees = this.#trees.filter((tree) => controllers.some((one) => tree.controllers.has(one)))
    const group = new SandboxGroup(
      {
        host: this.#host,
        places: trees.map((tree) => ({ tree, folder: join(tree.folder, name) })),
        takes: wanted.filter((one) => controllers.includes(one)).map((one) => limitOf[one]),
        kill: true,
        missing: (controller) => this.missing(controller),
        onRemoved: (removed) => this.#groups.delete(removed),
      },
      limits,
    )
    this.#groups.add(group)
    return group
  }

  /**
   * Once all groups are removed: leaves the hierarchies as they were. A group that is left goes, too, if nothing runs in it.
   * @throws CgroupError `EBUSY` if something does; the next supervisor here removes it when that has ended
   */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    const errors: unknown[] = []
    for (const tree of this.#trees) {
      try {
        tree.close()
      } catch (error) {
        errors.push(error)
      }
    }
    // The first one: what follows is nearly always for the same reason.
    if (errors.length > 0) throw errors[0]
  }

  /** Ends what runs in the groups, removes them, and closes. @throws CgroupError */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#groups].map((group) => group.remove()))
    this.close()
  }
}

function checkOptions(parent: string | undefined, processes: string): void {
  if (parent !== undefined && !/^(?:\/(?!\.{1,2}(?:\/|$))[^/]+)+$/.test(parent))
    throw new CgroupError(`parent must be a path such as /pyisolate, without '..', got ${parent}`)
  if (processes !== 'own' && processes !== 'all')
    throw new CgroupError(`processes must be 'own' or 'all', got ${String(processes)}`)
}

/** `Cgroups.open`, for callers without the class. @throws CgroupError for wrong options */
export function openCgroups(options: CgroupOptions = {}): Cgroups {
  return Cgroups.open(options)
}
