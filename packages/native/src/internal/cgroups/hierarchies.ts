import { posix } from 'node:path'

import type { CgroupHost } from './host.js'

/** A hierarchy that is mounted, and where in it this process is. */
export interface Hierarchy {
  readonly version: 'v1' | 'v2'
  readonly mount: string
  /** The folder of this process's own group; `undefined`: it is outside of what is mounted. */
  readonly own: string | undefined
  /** Version 1: the controllers that are tied to it. */
  readonly controllers: readonly string[]
}

interface Mount extends Omit<Hierarchy, 'own'> {
  /** The part of the hierarchy that is mounted. */
  readonly root: string
}

/** proc_pid_mountinfo(5): blanks and backslashes of a path are octal escapes. */
const unescapePath = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

function mountOf(line: string): Mount[] {
  const [before = '', after = ''] = line.split(' - ')
  const [, , , root, mount] = before.split(' ')
  const [type, , options = ''] = after.split(' ')
  if (root === undefined || mount === undefined) return []
  const place = { root: unescapePath(root), mount: unescapePath(mount) }
  if (type === 'cgroup2') return [{ ...place, version: 'v2', controllers: [] }]
  return type === 'cgroup' ? [{ ...place, version: 'v1', controllers: options.split(',') }] : []
}

/** Controllers (none for version 2) and path of each line: cgroups(7). */
function membershipOf(line: string): { controllers: string[]; path: string }[] {
  const match = /^\d+:([^:]*):(\/.*)$/.exec(line)
  return match ? [{ controllers: match[1]!.split(',').filter((name) => name !== ''), path: match[2]! }] : []
}

/** All that are mounted; of the unified hierarchy the first mount that shows this process's group. */
export function findHierarchies(host: CgroupHost): Hierarchy[] {
  const mounts = host.read('/proc/self/mountinfo').split('\n').flatMap(mountOf)
  const memberships = host.read('/proc/self/cgroup').split('\n').flatMap(membershipOf)
  const located = mounts.map(({ root, ...mount }): Hierarchy => {
    const membership = memberships.find(({ controllers }) =>
      mount.version === 'v2' ? controllers.length === 0 : controllers.some((name) => mount.controllers.includes(name)),
    )
    return { ...mount, own: membership && locate(mount.mount, root, membership.path) }
  })
  return located.sort((a, b) => Number(a.own === undefined) - Number(b.own === undefined))
}

function locate(mount: string, root: string, path: string): string | undefined {
  // `..` leads out of the cgroup namespace: nothing there can be named.
  if (root.split('/').includes('..') || path.split('/').includes('..')) return undefined
  const inside = posix.relative(root, path)
  return inside.startsWith('..') ? undefined : posix.join(mount, inside)
}
