import { readFileSync } from 'node:fs'
import { Group } from './group.js'
import { type Controller, controllers, type Place, placesFor } from './hierarchy.js'
import { makeParent, type Parent, removeParent } from './parent.js'

/** What this host grants, found out by making groups. */
export class Cgroups {
  readonly #parents = new Map<Controller, Parent>()
  #next = 1

  private constructor(places: readonly Place[]) {
    for (const place of places) {
      // The first that grants a controller has it; of v2 all come from one place.
      if (place.controllers.every((name) => this.#parents.has(name))) continue
      const parent = makeParent(place)
      const used = parent?.controllers.filter((name) => !this.#parents.has(name)) ?? []
      for (const name of used) this.#parents.set(name, parent!)
      if (parent !== undefined && used.length === 0) removeParent(parent)
    }
  }

  /** @param places for tests; default: those of this process */
  static open(places: readonly Place[] = ownPlaces()): Cgroups {
    return new Cgroups(places)
  }

  /** Which version rules a controller here; `undefined`: none does. */
  version(controller: Controller): 1 | 2 | undefined {
    return this.#parents.get(controller)?.version
  }

  /** Why a controller can't be had, for people. */
  missing(controller: Controller): string | undefined {
    if (this.#parents.has(controller)) return undefined
    const advice = 'run as root, or with a delegated cgroup (systemd: Delegate=yes)'
    return `this process may make no cgroup with the ${controller} controller, of version 2 or 1: ${advice}`
  }

  /** A group for these controllers alone, which costs a folder each in v1. @throws CgroupError */
  create(wanted: readonly Controller[] = controllers): Group {
    return new Group(new Map([...this.#parents].filter(([name]) => wanted.includes(name))), String(this.#next++))
  }

  /** Once all groups have been removed. */
  close(): void {
    for (const parent of new Set(this.#parents.values())) removeParent(parent)
    this.#parents.clear()
  }
}

function ownPlaces(): readonly Place[] {
  try {
    return placesFor(readFileSync('/proc/self/mountinfo', 'utf8'), readFileSync('/proc/self/cgroup', 'utf8'))
  } catch {
    return [] // no procfs: nothing is known, and so nothing is to be had
  }
}
