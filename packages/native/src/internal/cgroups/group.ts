import { basename, join } from 'node:path'

import { type CgroupController, CgroupError } from '../../errors/cgroup-error.js'
import { limitOf, writesOf } from './control-writes.js'
import { failure } from './failure.js'
import type { CgroupHost } from './host.js'
import { type CgroupLimits, checkLimits } from './limits.js'
import { removeFolders } from './remove-folders.js'
import type { Tree } from './tree.js'
import { type CgroupUsage, readThrottled, readUsage } from './usage.js'

/** A group's folder in one of the hierarchies. */
export interface Place {
  readonly tree: Tree
  readonly folder: string
}

export interface GroupPlan {
  readonly host: CgroupHost
  readonly places: readonly Place[]
  /** The limits that it takes. */
  readonly takes: readonly (keyof CgroupLimits)[]
  /** Whether its end is that of what runs in it. */
  readonly kill: boolean
  /** Why there is no such controller. */
  missing(controller: 'cpu' | 'memory' | 'pids'): string | undefined
  onRemoved(group: Group): void
}

type MemberFile = 'cgroup.procs' | 'cgroup.threads'

const PATIENCE_MS = 5000
const controllers = ['memory', 'pids', 'cpu'] as const

/** What all control groups have in common: limits, usage, an end. */
export class Group {
  readonly #plan: GroupPlan
  #limits: CgroupLimits = {}
  #removed: Promise<void> | undefined

  /** Makes the folders and sets the limits, or leaves nothing behind. @throws CgroupError */
  constructor(plan: GroupPlan, limits: CgroupLimits) {
    this.#plan = plan
    const { host, places } = plan
    const checked = this.#check(limits)
    const made: string[] = []
    try {
      for (const { folder } of places) {
        try {
          host.makeFolder(folder)
        } catch (cause) {
          throw failure('a control group could not be made', folder, undefined, cause)
        }
        made.push(folder)
        this.prepare(folder)
      }
      this.#apply(checked)
    } catch (error) {
      for (const folder of made.reverse()) host.removeFolder(folder)
      throw error
    }
  }

  /** Its folder in each hierarchy, for clone3's CLONE_INTO_CGROUP or programs attached to it. */
  get folders(): readonly string[] {
    return this.#plan.places.map(({ folder }) => folder)
  }

  get limits(): CgroupLimits {
    return this.#limits
  }

  /**
   * Sets all limits, live: what isn't named isn't limited any more. Memory that is used already beyond a lower limit is
   * reclaimed; if it can't be, version 1 refuses (`EBUSY`, and the old limit holds) and version 2 kills.
   * @throws CgroupError; limits of controllers before the one that failed, in the order memory, pids, cpu, are set
   */
  limit(limits: CgroupLimits): void {
    this.#mustLive()
    this.#apply(this.#check(limits))
  }

  /** Periods in which it was paused for its share of the CPU; `undefined` without one, and once it is removed. */
  throttledPeriods(): number | undefined {
    const folder = this.#removed ? undefined : this.#place('cpu')?.folder
    return folder === undefined ? undefined : readThrottled(this.#plan.host, folder)
  }

  /** Ten or so reads of about ten microseconds. @throws CgroupError */
  usage(): CgroupUsage {
    this.#mustLive()
    try {
      return readUsage(this.#plan.host, (controller) => {
        const place = this.#place(controller)
        return place && { folder: place.folder, version: place.tree.version }
      })
    } catch (cause) {
      throw failure('the usage of a control group could not be read', this.folders[0] ?? '', undefined, cause)
    }
  }

  /**
   * Takes the group away. @throws CgroupError `EBUSY`: something in it ran on for `patienceMs` milliseconds (default 5000),
   * its limits hold, and this may be called again
   */
  remove({ patienceMs = PATIENCE_MS }: { readonly patienceMs?: number } = {}): Promise<void> {
    this.#removed ??= this.#remove(patienceMs)
    return this.#removed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.remove()
  }

  async #remove(patienceMs: number): Promise<void> {
    const { host, kill } = this.#plan
    try {
      await removeFolders(host, this.folders, { kill, patienceMs })
    } catch (error) {
      this.#removed = undefined
      throw error
    }
    this.#plan.onRemoved(this)
  }

  /** A folder that was just made. */
  protected prepare(_folder: string): void {}

  /** @throws CgroupError */
  protected move(file: MemberFile, id: number, places = this.#plan.places): void {
    for (const path of this.#memberFiles(file, id, places)) {
      try {
        this.#plan.host.write(path, String(id))
      } catch (cause) {
        throw failure(`${id} could not be put into a control group`, path, undefined, cause)
      }
    }
  }

  /** @throws CgroupError */
  protected async moveLater(file: MemberFile, id: number, places = this.#plan.places): Promise<void> {
    for (const path of this.#memberFiles(file, id, places)) {
      try {
        await this.#plan.host.writeLater(path, String(id))
      } catch (cause) {
        throw failure(`${id} could not be put into a control group`, path, undefined, cause)
      }
    }
  }

  #memberFiles(file: MemberFile, id: number, places: readonly Place[]): string[] {
    this.#mustLive()
    // 0 would be the supervisor itself.
    if (!Number.isInteger(id) || id < 1 || id > 4_194_304)
      throw new CgroupError(`the number of a process or thread must be from 1 to 4194304, got ${String(id)}`)
    return places.map(({ tree, folder }) =>
      join(folder, file === 'cgroup.threads' && tree.version === 'v1' ? 'tasks' : file),
    )
  }

  protected get plan(): GroupPlan {
    return this.#plan
  }

  #check(limits: CgroupLimits): CgroupLimits {
    const checked = checkLimits(limits, this.#plan.takes)
    for (const controller of controllers) {
      if (checked[limitOf[controller]] === undefined || this.#place(controller)) continue
      throw new CgroupError(`no ${controller} controller can limit this: ${this.#plan.missing(controller)}`, {
        controller,
      })
    }
    return checked
  }

  #apply(next: CgroupLimits): void {
    for (const controller of controllers) {
      const limit = limitOf[controller]
      const place = this.#place(controller)
      if (place === undefined || this.#limits[limit] === next[limit]) continue
      const { version, features } = place.tree
      for (const [name, value] of writesOf[version][controller](this.#limits, next, features))
        this.#write(controller, join(place.folder, name), value)
      this.#limits = { ...this.#limits, [limit]: next[limit] }
    }
  }

  #write(controller: CgroupController, file: string, value: string): void {
    try {
      this.#plan.host.write(file, value)
    } catch (cause) {
      throw failure(`the limit '${value}' could not be set`, file, controller, cause)
    }
  }

  /** `undefined`, too, for a controller that this group isn't for, though its hierarchy may have it. */
  #place(controller: CgroupController): Place | undefined {
    if (controller !== 'cpuacct' && !this.#plan.takes.includes(limitOf[controller])) return undefined
    return this.#plan.places.find(({ tree }) => tree.controllers.has(controller))
  }

  #mustLive(): void {
    if (this.#removed)
      throw new CgroupError(`the control group ${basename(this.folders[0] ?? '')} is removed: make another one`)
  }
}
