import { join, posix } from 'node:path'
import type { Finding, Found } from './finding.js'
import type { HostFiles } from './host-files.js'

interface Mount {
  readonly version: 1 | 2
  readonly path: string
  /** The part of the hierarchy that is mounted there. */
  readonly root: string
  /** Of version 1. */
  readonly options: readonly string[]
}

export interface Cgroups {
  /** This process's own cgroup, the controllers it could pass on, and whether it may make cgroups in it. */
  readonly v2?: { readonly path: string; readonly controllers: readonly string[]; readonly writable: boolean }
  readonly v1: readonly { readonly controller: string; readonly path: string; readonly writable: boolean }[]
}

const wanted = ['cpu', 'memory', 'pids'] as const

/** The fields of a line: proc_pid_mountinfo(5). */
function mountOf(line: string): Mount[] {
  const [before = '', after = ''] = line.split(' - ')
  const [, , , root = '', path = ''] = before.split(' ')
  const [type, , options = ''] = after.split(' ')
  if (type === 'cgroup2') return [{ version: 2, path, root, options: [] }]
  return type === 'cgroup' ? [{ version: 1, path, root, options: options.split(',') }] : []
}

export function readCgroups(files: HostFiles): Cgroups {
  const mounts = (files.text('/proc/self/mountinfo') ?? '').split('\n').flatMap(mountOf)
  const own = (files.text('/proc/self/cgroup') ?? '').split('\n').map((line) => {
    const [, controllers = '', ...path] = line.split(':')
    return { controllers, path: path.join(':') }
  })
  const locate = (mount: Mount, path: string): string => {
    const inside = posix.relative(mount.root, path)
    // What is mounted may be elsewhere in the hierarchy, as in a container: then its top is all there is.
    return inside.startsWith('..') ? mount.path : join(mount.path, inside)
  }
  const unified = mounts.find(({ version }) => version === 2)
  const unifiedPath = own.find(({ controllers }) => controllers === '')?.path
  const v1 = wanted.flatMap((controller) => {
    const mount = mounts.find(({ version, options }) => version === 1 && options.includes(controller))
    const path = own.find(({ controllers }) => controllers.split(',').includes(controller))?.path
    if (mount === undefined || path === undefined) return []
    const folder = locate(mount, path)
    return [{ controller, path: folder, writable: files.writable(folder) }]
  })
  if (unified === undefined || unifiedPath === undefined) return { v1 }
  const path = locate(unified, unifiedPath)
  const controllers = (files.text(join(path, 'cgroup.controllers')) ?? '').split(' ').filter((name) => name !== '')
  // To use one takes making a cgroup and moving a process from here into it.
  const writable = files.writable(path) && files.writable(join(path, 'cgroup.procs'))
  return { v2: { path, controllers, writable }, v1 }
}

export function cgroupFinding(files: HostFiles): Finding {
  return {
    id: 'cgroups',
    title: 'cgroups',
    need: 'optional',
    gives: 'limits of memory, CPU time and processes for sandboxes together; each has its own without them',
    ...judge(readCgroups(files)),
  }
}

const delegate =
  "a delegated cgroup v2: systemd-run --user --scope -p Delegate=yes, or Delegate=yes in the service's unit, or root"

function judge({ v2, v1 }: Cgroups): Found {
  const has = wanted.filter((name) => v2?.controllers.includes(name))
  if (v2 !== undefined && has.length > 0) {
    const lacking = wanted.filter((name) => !has.includes(name))
    const found = `v2 at ${v2.path}: ${has.join(', ')}${v2.writable ? '' : ', not writable'}`
    return v2.writable && lacking.length === 0
      ? { state: 'ok', found }
      : { state: v2.writable ? 'partly' : 'missing', found, remedy: delegate }
  }
  const bare = v2 === undefined ? '' : `; v2 at ${v2.path} without controllers`
  if (v1.length === 0) return { state: 'missing', found: `no controllers${bare}`, remedy: delegate }
  const usable = v1.filter(({ writable }) => writable)
  return {
    state: usable.length > 0 ? 'partly' : 'missing',
    found: `v1: ${v1.map(({ controller, writable }) => `${controller}${writable ? '' : ' (not writable)'}`).join(', ')}${bare}`,
    remedy: 'systemd.unified_cgroup_hierarchy=1 as a boot parameter makes it v2',
  }
}
