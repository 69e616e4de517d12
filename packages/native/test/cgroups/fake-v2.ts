import { basename, dirname } from 'node:path'

import type { CgroupHost } from '../../src/internal/cgroups/host.js'

export const MOUNT = '/sys/fs/cgroup'

interface Node {
  readonly values: Map<string, string>
  readonly passesOn: Set<string>
  readonly processes: Set<number>
  /** Of another user: nothing in it can be changed. */
  foreign: boolean
  type: string
}

const controllerFiles: Readonly<Record<string, readonly string[]>> = {
  cpu: ['cpu.max'],
  memory: ['memory.max', 'memory.swap.max', 'memory.oom.group', 'memory.current', 'memory.events'],
  pids: ['pids.max', 'pids.current'],
}

const fail = (code: string): never => {
  throw Object.assign(new Error(code), { code })
}

/**
 * The rules of cgroup v2 that decide whether groups can be had, in memory: what a group's controllers are, that a group
 * with processes passes none on, what is in use. The same scenario on real kernels: v2-scenario.mjs.
 */
export class FakeV2 implements CgroupHost {
  readonly pid = 100
  readonly groups = new Map<string, Node>()
  /** Parents of processes, this one's included. */
  readonly parents = new Map<number, number>([[100, 1]])
  readonly starts = new Map<number, string>([[100, '5000']])
  readonly writes: string[] = []
  readonly signals: number[] = []
  readonly offered: readonly string[]
  /** Fails a write or a new folder; returns the errno's name. */
  refuse: (path: string, value?: string) => string | undefined = () => undefined
  mounts = `30 23 0:26 / ${MOUNT} rw - cgroup2 cgroup2 rw\n`

  constructor(own: string, offered: readonly string[] = ['cpu', 'memory', 'pids']) {
    this.offered = offered
    this.#add(MOUNT)
    let path = MOUNT
    for (const name of own.split('/').filter(Boolean)) {
      for (const controller of offered) this.groups.get(path)!.passesOn.add(controller)
      path = `${path}/${name}`
      this.#add(path)
    }
    this.groups.get(path)!.processes.add(this.pid)
  }

  #add(path: string): void {
    this.groups.set(path, {
      values: new Map(),
      passesOn: new Set(),
      processes: new Set(),
      foreign: this.groups.get(dirname(path))?.foreign ?? false,
      type: 'domain',
    })
  }

  where(pid: number): string {
    const found = [...this.groups].find(([, { processes }]) => processes.has(pid))
    return found ? found[0].slice(MOUNT.length) || '/' : fail('ESRCH')
  }

  fork(pid: number, parent: number, group: string): void {
    this.parents.set(pid, parent)
    this.starts.set(pid, String(pid))
    this.groups.get(MOUNT + group)!.processes.add(pid)
  }

  #group(path: string): Node {
    return this.groups.get(path) ?? fail('ENOENT')
  }

  #controllers(path: string): readonly string[] {
    return path === MOUNT ? this.offered : this.offered.filter((name) => this.#group(dirname(path)).passesOn.has(name))
  }

  #children(path: string): string[] {
    return [...this.groups.keys()].filter((one) => dirname(one) === path && one !== path)
  }

  read(file: string): string {
    if (file === '/proc/self/mountinfo') return this.mounts
    if (file === '/proc/self/cgroup') return `0::${this.where(this.pid)}\n`
    const process = /^\/proc\/(\d+)\/stat$/.exec(file)
    if (process) {
      const pid = Number(process[1])
      const start = this.starts.get(pid) ?? fail('ENOENT')
      return `${pid} (a) b) S ${this.parents.get(pid)} ${Array(17).fill(0).join(' ')} ${start} 0\n`
    }
    const folder = dirname(file)
    const node = this.#group(folder)
    const name = basename(file)
    if (name === 'cgroup.controllers') return `${this.#controllers(folder).join(' ')}\n`
    if (name === 'cgroup.subtree_control') return `${[...node.passesOn].join(' ')}\n`
    if (name === 'cgroup.procs') return [...node.processes].map((pid) => `${pid}\n`).join('')
    if (name === 'cgroup.type') return folder === MOUNT ? fail('ENOENT') : `${node.type}\n`
    if (name === 'cpu.stat') return 'usage_usec 0\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n'
    return this.#has(folder, name) ? (node.values.get(name) ?? '0\n') : fail('ENOENT')
  }

  #has(folder: string, name: string): boolean {
    return folder !== MOUNT && this.#controllers(folder).some((one) => controllerFiles[one]?.includes(name))
  }

  write(file: string, value: string): void {
    const folder = dirname(file)
    const node = this.#group(folder)
    const name = basename(file)
    const refused = this.refuse(file, value) ?? (node.foreign ? 'EACCES' : undefined)
    if (refused) fail(refused)
    this.writes.push(`${file.slice(MOUNT.length)} ${value}`)
    this.#effect(folder, node, name, value)
  }

  async writeLater(file: string, value: string): Promise<void> {
    this.write(file, value)
  }

  #effect(folder: string, node: Node, name: string, value: string): void {
    if (name === 'cgroup.subtree_control') this.#passOn(folder, node, value)
    else if (name === 'cgroup.procs') this.#move(folder, node, Number(value))
    else if (name === 'cgroup.kill')
      for (const one of [folder, ...this.#below(folder)]) this.#group(one).processes.clear()
    else if (name === 'cgroup.type') {
      node.type = value
      this.#group(dirname(folder)).type = 'domain threaded'
    } else if (name !== 'cgroup.threads') {
      if (!this.#has(folder, name)) fail('ENOENT')
      node.values.set(name, value)
    }
  }

  #below(path: string): string[] {
    return [...this.groups.keys()].filter((one) => one.startsWith(`${path}/`))
  }

  #passOn(folder: string, node: Node, value: string): void {
    for (const word of value.split(' ')) {
      const name = word.slice(1)
      if (word.startsWith('+')) {
        if (!this.#controllers(folder).includes(name)) fail('ENOENT')
        const divided = node.type === 'domain threaded' || this.#children(folder).length === 0
        if (folder !== MOUNT && node.processes.size > 0 && !(divided && name !== 'memory')) fail('EBUSY')
        node.passesOn.add(name)
      } else {
        if (this.#children(folder).some((child) => this.#group(child).passesOn.has(name))) fail('EBUSY')
        node.passesOn.delete(name)
      }
    }
  }

  #move(folder: string, node: Node, pid: number): void {
    const from = [...this.groups.values()].find(({ processes }) => processes.has(pid)) ?? fail('ESRCH')
    if (folder !== MOUNT && node.passesOn.size > 0) fail('EBUSY')
    from.processes.delete(pid)
    node.processes.add(pid)
  }

  makeFolder(folder: string): void {
    const refused = this.refuse(folder) ?? (this.#group(dirname(folder)).foreign ? 'EACCES' : undefined)
    if (refused) fail(refused)
    if (this.groups.has(folder)) fail('EEXIST')
    this.#add(folder)
  }

  removeFolder(folder: string): void {
    const node = this.#group(folder)
    if (this.#group(dirname(folder)).foreign) fail('EACCES')
    if (node.processes.size > 0 || this.#children(folder).length > 0) fail('EBUSY')
    this.groups.delete(folder)
  }

  folders(folder: string): string[] {
    this.#group(folder)
    return this.#children(folder).map((path) => basename(path))
  }

  link(path: string): string {
    return path === '/proc/self/ns/pid' ? 'pid:[4026531836]' : fail('ENOENT')
  }

  signal(pid: number, signal: 'SIGKILL' | 0): void {
    if (!this.starts.has(pid)) fail('ESRCH')
    if (signal === 0) return
    this.signals.push(pid)
    for (const { processes } of this.groups.values()) processes.delete(pid)
  }
}
