import type { CgroupController } from '../../errors/cgroup-error.js'
import { reason } from './failure.js'
import { findHierarchies, type Hierarchy } from './hierarchies.js'
import type { CgroupHost } from './host.js'
import { openV1 } from './open-v1.js'
import { openV2 } from './open-v2.js'
import { parentName } from './parent-name.js'
import type { OpenRequest, Tree } from './tree.js'

export type LimitController = 'cpu' | 'memory' | 'pids'

/** Which version keeps a limit, or why none does. Found by setting one. */
export type CgroupReport = Readonly<Record<LimitController, 'v2' | 'v1' | { readonly missing: string }>>

const wanted = ['cpu', 'memory', 'pids'] as const

/** Version 2 first; a controller that it doesn't give here may be tied to a hierarchy of version 1. */
export function openTrees(
  host: CgroupHost,
  parent: string | undefined,
  processes: OpenRequest['processes'],
): { readonly trees: readonly Tree[]; readonly report: CgroupReport } {
  const { name, hierarchies, problem } = lookAround(host)
  const trees: Tree[] = []
  const reasons = new Map<CgroupController, string[]>()
  const has = (controller: CgroupController): boolean => trees.some((tree) => tree.controllers.has(controller))
  const open = (hierarchy: Hierarchy, candidates: readonly CgroupController[]): void => {
    const controllers = new Set(candidates.filter((controller) => !has(controller)))
    if (controllers.size === 0) return
    const request = { host, hierarchy, controllers, name, parent, processes }
    const opened = hierarchy.version === 'v2' ? openV2(request) : openV1(request)
    if (opened.tree) trees.push(opened.tree)
    for (const [controller, why] of opened.reasons)
      reasons.set(controller, [...(reasons.get(controller) ?? []), `${hierarchy.version}: ${why}`])
  }
  const unified = hierarchies.find(({ version }) => version === 'v2')
  if (unified) open(unified, wanted)
  // In version 2, cpu.stat counts CPU time.
  const old: readonly CgroupController[] = has('cpu') ? wanted : [...wanted, 'cpuacct']
  for (const hierarchy of hierarchies.filter(({ version }) => version === 'v1')) {
    open(
      hierarchy,
      old.filter((controller) => hierarchy.controllers.includes(controller)),
    )
  }
  const entry = (controller: LimitController): CgroupReport[LimitController] => {
    const tree = trees.find(({ controllers }) => controllers.has(controller))
    if (tree) return tree.version
    return Object.freeze({
      missing: reasons.get(controller)?.join('; ') ?? problem ?? 'no hierarchy with it is mounted',
    })
  }
  return { trees, report: Object.freeze({ cpu: entry('cpu'), memory: entry('memory'), pids: entry('pids') }) }
}

/** Without proc(5) nothing is known, and so nothing is to be had. */
function lookAround(host: CgroupHost): { name: string; hierarchies: Hierarchy[]; problem?: string } {
  try {
    return { name: parentName(host), hierarchies: findHierarchies(host) }
  } catch (cause) {
    return { name: '', hierarchies: [], problem: reason('/proc/self', cause) }
  }
}
