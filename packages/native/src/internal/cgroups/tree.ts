import { type CgroupController, CgroupError } from '../../errors/cgroup-error.js'
import type { Features } from './control-writes.js'
import type { Hierarchy } from './hierarchies.js'
import type { CgroupHost } from './host.js'

/** Our own part of one hierarchy: the folder in which each sandbox has a group. */
export interface Tree {
  readonly version: 'v1' | 'v2'
  readonly folder: string
  /** Those of its controllers whose limits can be set here. */
  readonly controllers: ReadonlySet<CgroupController>
  readonly features: Features
  /** Takes the folder away again; everything below it is gone already. */
  close(): void
}

/** Why a controller of a hierarchy isn't of use. */
export type Reasons = Map<CgroupController, string>

export interface OpenTree {
  readonly tree: Tree | undefined
  readonly reasons: Reasons
}

/** Takes back what was made for a tree that came to nothing; what can't be is added to why. */
export function abandon(close: () => void, reasons: Reasons): OpenTree {
  try {
    close()
  } catch (cause) {
    if (!CgroupError.isInstance(cause)) throw cause
    for (const [controller, why] of reasons) reasons.set(controller, `${why}; and then ${cause.message}`)
  }
  return { tree: undefined, reasons }
}

/** The same reason for several controllers. */
export function missing(controllers: Iterable<CgroupController>, why: string): OpenTree {
  return { tree: undefined, reasons: new Map([...controllers].map((name) => [name, why])) }
}

/** What both versions need to open a hierarchy. */
export interface OpenRequest {
  readonly host: CgroupHost
  readonly hierarchy: Hierarchy
  readonly controllers: ReadonlySet<CgroupController>
  /** Of our parent group. */
  readonly name: string
  /** A group that somebody prepared for us, as a path in the hierarchy. */
  readonly parent: string | undefined
  /** Whose processes may be moved out of a group that shall pass controllers on. */
  readonly processes: 'own' | 'all'
}
