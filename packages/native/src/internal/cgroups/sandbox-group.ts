import { join } from 'node:path'

import { failure } from './failure.js'
import { Group, type Place } from './group.js'
import type { CgroupLimits } from './limits.js'

/** The limits that threads can have of their own: memory belongs to a whole process. */
export type ThreadLimits = Pick<CgroupLimits, 'cpu' | 'pids'>

/** A group of processes: a cell. */
export class SandboxGroup extends Group {
  readonly #threadGroups = new Set<Group>()
  #made = 0
  #passesOn = false

  /**
   * Moves a process with all its threads here. What it forked before stays where it is; what it forks from now on is
   * here. Memory that it already uses stays counted where it was. When nothing was moved for a while, the kernel waits for
   * an RCU grace period: five to ten milliseconds, unless cgroups are mounted with `favordynmods` (Linux 6.0).
   * @throws CgroupError, `ESRCH` if it has ended
   */
  add(pid: number): void {
    this.move('cgroup.procs', pid)
  }

  /** The same without blocking the event loop meanwhile. @throws CgroupError, `ESRCH` if it has ended */
  addLater(pid: number): Promise<void> {
    return this.moveLater('cgroup.procs', pid)
  }

  /** Takes a thread of its process back from a thread group. @throws CgroupError */
  addThread(tid: number): void {
    this.move('cgroup.threads', tid, this.#threadPlaces())
  }

  /** A group for some threads of the process in this one, within its limits. @throws CgroupError */
  createThreadGroup(limits: ThreadLimits): ThreadGroup {
    const { host, missing } = this.plan
    const name = `threads-${++this.#made}`
    const places = this.#threadPlaces().map(({ tree, folder }): Place => ({ tree, folder: join(folder, name) }))
    this.#passOn()
    const group = new ThreadGroup(
      {
        host,
        places,
        takes: ['cpu', 'pids'],
        kill: false,
        missing,
        onRemoved: (removed) => this.#threadGroups.delete(removed),
      },
      limits,
    )
    this.#threadGroups.add(group)
    return group
  }

  /** Where a thread can be apart from its process: not in the hierarchy of version 1 that only counts memory. */
  #threadPlaces(): Place[] {
    return this.plan.places.filter(({ tree }) => [...tree.controllers].some((name) => name !== 'memory'))
  }

  /** Version 2: the controllers that can tell threads apart are passed on; the group may keep its process, unlike others. */
  #passOn(): void {
    const place = this.plan.places.find(({ tree }) => tree.version === 'v2')
    if (this.#passesOn || place === undefined) return
    const threaded = ['cpu', 'pids'].filter((name) => place.tree.controllers.has(name as 'cpu' | 'pids'))
    const file = join(place.folder, 'cgroup.subtree_control')
    try {
      if (threaded.length > 0) this.plan.host.write(file, threaded.map((name) => `+${name}`).join(' '))
    } catch (cause) {
      throw failure('a control group can not be divided among threads', file, undefined, cause)
    }
    this.#passesOn = true
  }
}

/** A group of threads of one cell's process: a sandbox of a shared cell. CPU and number of tasks only. */
export class ThreadGroup extends Group {
  /** Moves one thread here; threads that it starts from now on are here. Waits as `add` does. @throws CgroupError */
  addThread(tid: number): void {
    this.move('cgroup.threads', tid)
  }

  /** The same without blocking the event loop meanwhile. @throws CgroupError, `ESRCH` if it has ended */
  addThreadLater(tid: number): Promise<void> {
    return this.moveLater('cgroup.threads', tid)
  }

  protected override prepare(folder: string): void {
    const { host, places } = this.plan
    const place = places.find((one) => one.folder === folder)
    if (place?.tree.version !== 'v2') return
    const file = join(folder, 'cgroup.type')
    try {
      host.write(file, 'threaded')
    } catch (cause) {
      throw failure('a control group for threads could not be made', file, undefined, cause)
    }
  }
}
