import { posix } from 'node:path'

export const controllers = ['cpu', 'memory', 'pids'] as const
export type Controller = (typeof controllers)[number]

/** A folder in which a group of ours could be made, and what it could rule. */
export interface Place {
  readonly version: 1 | 2
  readonly folder: string
  readonly controllers: readonly Controller[]
}

interface Mount {
  readonly version: 1 | 2
  readonly path: string
  /** The part of the hierarchy that is mounted there. */
  readonly root: string
  readonly options: readonly string[]
}

/**
 * Where groups could be made, likeliest first: of v2 this process's own group and all above it (the one it is in can't
 * pass controllers on: cgroup-v2.rst, "No Internal Process Constraint"), of v1 its own group in each hierarchy.
 * `mounts`: /proc/self/mountinfo; `own`: /proc/self/cgroup.
 */
export function placesFor(mounts: string, own: string): readonly Place[] {
  const found = mounts.split('\n').flatMap(mountOf)
  const groups = own.split('\n').map((line) => {
    const [, names = '', ...path] = line.split(':')
    return { names: names.split(','), path: path.join(':') }
  })
  const v1 = found.flatMap((mount): Place[] => {
    const ruled = controllers.filter((name) => mount.version === 1 && mount.options.includes(name))
    const group = groups.find(({ names }) => ruled.some((name) => names.includes(name)))
    return ruled.length === 0 || group === undefined
      ? []
      : [{ version: 1, folder: locate(mount, group.path), controllers: ruled }]
  })
  const unified = found.find(({ version }) => version === 2)
  const path = groups.find(({ names }) => names.length === 1 && names[0] === '')?.path
  if (unified === undefined || path === undefined) return v1
  const v2: Place[] = []
  for (let folder = locate(unified, path); ; folder = posix.dirname(folder)) {
    v2.push({ version: 2, folder, controllers })
    if (folder === unified.path || !folder.startsWith(`${unified.path}/`)) break
  }
  return [...v2, ...v1]
}

/** The fields of a line: proc_pid_mountinfo(5). */
function mountOf(line: string): Mount[] {
  const [before = '', after = ''] = line.split(' - ')
  const [, , , root = '', path = ''] = before.split(' ')
  const [type, , options = ''] = after.split(' ')
  if (type === 'cgroup2') return [{ version: 2, path, root, options: [] }]
  return type === 'cgroup' ? [{ version: 1, path, root, options: options.split(',') }] : []
}

/** What is mounted may be elsewhere in the hierarchy, as in a container: then its top is all there is. */
function locate({ root, path }: Mount, group: string): string {
  const inside = posix.relative(root, group)
  return inside.startsWith('..') ? path : posix.join(path, inside)
}
