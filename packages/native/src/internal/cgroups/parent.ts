import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { readControl, writeControl } from './control-file.js'
import { type Controller, controllers, type Place } from './hierarchy.js'

/** A group of this process's own, in which those of its sandboxes are made. */
export interface Parent {
  readonly version: 1 | 2
  readonly folder: string
  readonly controllers: readonly Controller[]
}

const prefix = 'pyisolate-'

let made = 0

/** Named after this process and when it started, so that a later one knows whether it still lives. */
function ownName(): string {
  return `${prefix}${process.pid}-${startOf(process.pid)}-${++made}`
}

/** In clock ticks since boot (proc_pid_stat(5), field 22). */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

/** Makes it, by trying: `undefined` or fewer controllers where the host says no. Removes what dead processes left. */
export function makeParent(place: Place): Parent | undefined {
  const folder = join(place.folder, ownName())
  try {
    sweep(place.folder)
    mkdirSync(folder)
    const ruled = place.version === 1 ? place.controllers : passOn(place.folder, folder)
    if (ruled.length > 0) return { version: place.version, folder, controllers: ruled }
    rmdirSync(folder)
  } catch {
    // Not ours to make groups in: the report says what could not be had.
  }
  return undefined
}

export function removeParent({ folder }: Parent): void {
  try {
    for (const child of readdirSync(folder, { withFileTypes: true }))
      if (child.isDirectory()) rmdirSync(join(folder, child.name))
    rmdirSync(folder)
  } catch {
    // Something is in it still: whoever comes next finds it, and its owner dead.
  }
}

/** Of v2: controllers work in a group when its parent passes them on. Which do, is read back. */
function passOn(above: string, folder: string): readonly Controller[] {
  for (const name of controllers) {
    try {
      writeControl(join(above, 'cgroup.subtree_control'), `+${name}`)
    } catch {
      // It holds processes, or lacks the controller; it may have been passed on before.
    }
  }
  const there = readControl(join(folder, 'cgroup.controllers')).split(' ')
  const ruled = controllers.filter((name) => there.includes(name))
  for (const name of ruled) writeControl(join(folder, 'cgroup.subtree_control'), `+${name}`)
  return ruled
}

function sweep(above: string): void {
  for (const { name } of readdirSync(above, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    const [, pid, start] = /^pyisolate-(\d+)-(\d+)-\d+$/.exec(basename(name)) ?? []
    if (pid !== undefined && startOf(Number(pid)) !== start)
      removeParent({ version: 2, folder: join(above, name), controllers: [] })
  }
}
