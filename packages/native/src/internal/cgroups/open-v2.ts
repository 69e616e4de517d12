import { basename, dirname, join } from 'node:path'

import { occupied, reason } from './failure.js'
import { isParentName } from './parent-name.js'
import { splitProcesses } from './processes.js'
import { processesOf } from './remove-folders.js'
import { sweep } from './sweep.js'
import { missing, type OpenRequest, type OpenTree, type Reasons } from './tree.js'
import { hasFile } from './trials.js'
import { LEAF, V2Parent } from './v2-parent.js'

/**
 * The unified hierarchy (Documentation/admin-guide/cgroup-v2.rst): a group with processes passes no controllers on, except
 * for the root. So our parent group is made in the group we are in; what runs there moves to a leaf below it first.
 */
export function openV2(request: OpenRequest): OpenTree {
  const { host, hierarchy, controllers, name, parent } = request
  const base = parent === undefined ? startingPoint(hierarchy.own) : join(hierarchy.mount, parent)
  if (base === undefined)
    return missing(controllers, `the group of this process is outside of what is mounted at ${hierarchy.mount}`)
  const control = join(base, 'cgroup.subtree_control')
  try {
    const offered = words(host.read(join(base, 'cgroup.controllers')))
    const given = [...controllers].filter((controller) => offered.has(controller))
    const reasons: Reasons = new Map()
    for (const controller of controllers)
      if (!offered.has(controller))
        reasons.set(controller, `${base} has no such controller: ${[...offered].join(' ') || 'none'}`)
    if (given.length === 0) return { tree: undefined, reasons }

    const passedOn = words(host.read(control))
    const needed = given.filter((controller) => !passedOn.has(controller))
    const isRoot = !hasFile(host, join(base, 'cgroup.type'))
    const { ours, others } = splitProcesses(host, needed.length === 0 || isRoot ? [] : processesOf(host, base))
    // 0 is a process outside of our pid namespace, which can't be moved.
    if (others.length > 0 && (request.processes === 'own' || others.includes(0)))
      return missing(controllers, occupied(join(base, 'cgroup.procs'), others))

    sweep(host, base)
    const opened = new V2Parent(host, base, join(base, name))
    return opened.open({ given, needed, moving: [...ours, ...others], back: hierarchy.own, reasons })
  } catch (cause) {
    return missing(controllers, reason(control, cause))
  }
}

/** Where a supervisor of this process, or of one that started it, moved us, a further one's groups belong beside. */
function startingPoint(own: string | undefined): string | undefined {
  if (own === undefined || basename(own) !== LEAF || !isParentName(basename(dirname(own)))) return own
  return dirname(dirname(own))
}

const words = (text: string): Set<string> => new Set(text.split(/\s+/).filter((word) => word !== ''))
