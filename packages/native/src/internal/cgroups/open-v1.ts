import { join } from 'node:path'

import type { CgroupController } from '../../errors/cgroup-error.js'
import { failure, inUse, reason } from './failure.js'
import { tryRemove } from './remove-folders.js'
import { sweep } from './sweep.js'
import { abandon, missing, type OpenRequest, type OpenTree } from './tree.js'
import { hasFile, tryLimits, tryToMove } from './trials.js'

/** A hierarchy of version 1 (Documentation/admin-guide/cgroup-v1/cgroups.rst): a child of our own group there, tried out. */
export function openV1({ host, hierarchy, controllers, name, parent }: OpenRequest): OpenTree {
  const base = parent === undefined ? hierarchy.own : join(hierarchy.mount, parent)
  if (base === undefined)
    return missing(controllers, `the group of this process is outside of what is mounted at ${hierarchy.mount}`)
  const folder = join(base, name)
  try {
    sweep(host, base)
    host.makeFolder(folder)
  } catch (cause) {
    return missing(controllers, reason(folder, cause))
  }
  const close = (): void => {
    if (!tryRemove(host, folder)) throw failure('a control group could not be removed', folder, undefined, inUse())
  }
  const reasons = new Map<CgroupController, string>()
  const usable = tryLimits(host, 'v1', folder, controllers, reasons)
  const stuck = hierarchy.own === undefined ? undefined : tryToMove(host, folder, hierarchy.own)
  if (stuck !== undefined) for (const controller of usable) reasons.set(controller, stuck)
  if (stuck !== undefined || usable.size === 0) return abandon(close, reasons)
  const features = {
    swap: usable.has('memory') && hasFile(host, join(folder, 'memory.memsw.limit_in_bytes')),
    oomGroup: false,
  }
  return { tree: { version: 'v1', folder, controllers: usable, features, close }, reasons }
}
