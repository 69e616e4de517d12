import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { UnsupportedError } from '../errors/unsupported-error.js'
import type { Requirement } from './opening.js'

/** The folder of this process's own control group, version 2 (cgroups(7)). @throws UnsupportedError */
export function ownGroup(requirement: Requirement): string {
  const read = (name: string): string => readFileSync(`/proc/self/${name}`, 'utf8')
  return groupFolder(read('cgroup'), read('mountinfo'), requirement)
}

/** The same, by what the kernel says of a process. */
export function groupFolder(cgroup: string, mountinfo: string, { feature, ...requirement }: Requirement): string {
  const own = /^0::(\/.*)$/m.exec(cgroup)?.[1]
  const mount = mountinfo.split('\n').map(cgroupMount).find(Boolean)
  if (own === undefined || mount === undefined)
    throw new UnsupportedError(feature, 'no control groups of version 2 are mounted', requirement)
  const below = relative(mount.root, own)
  // Another container's, or one above a namespace's root: there is no way to it.
  if (below === '..' || below.startsWith('../') || own.startsWith('/..'))
    throw new UnsupportedError(feature, `the control group ${own} of this process can't be reached here`, requirement)
  return join(mount.folder, below)
}

/** A line of proc_pid_mountinfo(5). */
function cgroupMount(line: string): { readonly root: string; readonly folder: string } | undefined {
  const [place = '', kind = ''] = line.split(' - ')
  const [, , , root, folder] = place.split(' ')
  return kind.startsWith('cgroup2 ') && root !== undefined && folder !== undefined
    ? { root: plain(root), folder: plain(folder) }
    : undefined
}

/** Spaces and the like are there in octal. */
function plain(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}
