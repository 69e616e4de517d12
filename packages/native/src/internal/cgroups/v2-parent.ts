import { basename, join } from 'node:path'

import type { CgroupController } from '../../errors/cgroup-error.js'
import { failure, inUse, reason } from './failure.js'
import type { CgroupHost } from './host.js'
import { moveAll } from './processes.js'
import { processesOf, tryRemove } from './remove-folders.js'
import { abandon, missing, type OpenTree, type Reasons } from './tree.js'
import { attemptWrite, hasFile, tryLimits, tryToMove } from './trials.js'

/** Where the supervisor itself goes when its group has to be empty. */
export const LEAF = 'supervisor'

interface V2Opening {
  readonly given: readonly CgroupController[]
  /** Those of them that the base doesn't pass on yet. */
  readonly needed: readonly CgroupController[]
  /** Processes that have to leave the base first. */
  readonly moving: readonly number[]
  /** Where this process was. */
  readonly back: string | undefined
  readonly reasons: Reasons
}

/** Our parent group in the unified hierarchy, and what it took to make it. */
export class V2Parent {
  readonly #leaf: string
  /** The groups beside ours. */
  readonly #before: ReadonlySet<string>
  readonly #enabled: CgroupController[] = []
  #moved = false
  readonly #host: CgroupHost
  readonly #base: string
  readonly #folder: string

  constructor(host: CgroupHost, base: string, folder: string) {
    this.#host = host
    this.#base = base
    this.#folder = folder
    this.#leaf = join(folder, LEAF)
    this.#before = new Set(host.folders(base))
  }

  open({ given, needed, moving, back, reasons }: V2Opening): OpenTree {
    const host = this.#host
    const folder = this.#folder
    try {
      host.makeFolder(folder)
      host.makeFolder(this.#leaf)
      if (moving.length > 0) {
        this.#moved = true
        moveAll(host, moving, this.#leaf)
      }
      const passed = given.filter((controller) => this.#enable(controller, needed, reasons))
      const usable = tryLimits(host, 'v2', this.#leaf, passed, reasons)
      const stuck = this.#moved || back === undefined ? undefined : tryToMove(host, this.#leaf, back)
      if (stuck !== undefined) for (const controller of usable) reasons.set(controller, stuck)
      if (stuck !== undefined || usable.size === 0) return abandon(() => this.close(), reasons)
      const features = {
        swap: hasFile(host, join(this.#leaf, 'memory.swap.max')),
        oomGroup: hasFile(host, join(this.#leaf, 'memory.oom.group')),
      }
      if (!this.#moved) host.removeFolder(this.#leaf)
      return { tree: { version: 'v2', folder, controllers: usable, features, close: () => this.close() }, reasons }
    } catch (cause) {
      return abandon(() => this.close(), missing(given, reason(folder, cause)).reasons)
    }
  }

  /** Passes a controller on, from the base to our parent group and from it to the groups in it. */
  #enable(controller: CgroupController, needed: readonly CgroupController[], reasons: Reasons): boolean {
    const places = needed.includes(controller) ? [this.#base, this.#folder] : [this.#folder]
    for (const place of places) {
      const why = attemptWrite(this.#host, join(place, 'cgroup.subtree_control'), `+${controller}`)
      if (why !== undefined) {
        reasons.set(controller, why)
        return false
      }
      if (place === this.#base) this.#enabled.push(controller)
    }
    return true
  }

  /** Leaves the base as it was, unless others made groups there meanwhile: theirs would lose their limits. */
  close(): void {
    const host = this.#host
    const folder = this.#folder
    try {
      if (!host.folders(this.#base).includes(basename(folder))) return
      for (const name of host.folders(folder)) if (name !== LEAF) tryRemove(host, join(folder, name))
      const alone = host.folders(this.#base).every((name) => this.#before.has(name) || name === basename(folder))
      if (alone && this.#enabled.length > 0) {
        const off = this.#enabled.map((controller) => `-${controller}`).join(' ')
        host.write(join(folder, 'cgroup.subtree_control'), off)
        host.write(join(this.#base, 'cgroup.subtree_control'), off)
      }
      // What can't go back stays in its leaf, without limits; a later supervisor sweeps it up.
      if (this.#moved && !alone) return
      if (this.#moved) moveAll(host, processesOf(host, this.#leaf), this.#base)
      if (!tryRemove(host, folder)) throw inUse()
    } catch (cause) {
      throw failure('a control group could not be removed', folder, undefined, cause)
    }
  }
}
