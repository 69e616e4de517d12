import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { afterAll, describe, expect, onTestFinished, test } from 'vitest'

import { Cgroups } from '../../src/internal/cgroups/cgroups.js'
import { kernelHost } from '../../src/internal/cgroups/host.js'
import { parentName } from '../../src/internal/cgroups/parent-name.js'

const cgroups = Cgroups.open()
afterAll(() => cgroups[Symbol.asyncDispose]())

const has = (controller: 'cpu' | 'memory' | 'pids'): boolean => cgroups.missing(controller) === undefined

function start(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** A process that does nothing until it is told to. */
const shell = (code: string): ChildProcess => start('/bin/sh', ['-c', `read go; ${code}`])
const node = (code: string): ChildProcess =>
  start(process.execPath, ['-e', `process.stdin.once('data', async () => { ${code} }); console.log('ready')`])
const line = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => child.stdout!.once('data', (data) => resolve(String(data).trim())))
/** Of one that may have ended already, too. */
const ended = async (child: ChildProcess): Promise<unknown> => {
  if (child.exitCode === null && child.signalCode === null) await new Promise((resolve) => child.once('exit', resolve))
  return child.signalCode ?? child.exitCode
}

/** Every parent group of ours, in whichever hierarchy. */
const left = (): string[] => {
  const folders = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((text) => / - cgroup2? /.test(text))
    .map((text) => text.split(' ')[4]!)
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => basename(name).startsWith(`pyisolate-${process.pid}-`) && existsSync(`${folder}/${name}`))
      .map((name) => `${folder}/${name}`),
  )
}

test('root has every controller that the kernel ties to a hierarchy; what is missing says why', (context) => {
  for (const controller of ['cpu', 'memory', 'pids'] as const) {
    expect(has(controller)).toBe(typeof cgroups.report[controller] === 'string')
    if (!has(controller)) expect(cgroups.missing(controller)).toMatch(/\S/)
  }
  if (process.getuid?.() !== 0) return context.skip('not root: what can be had is the host’s choice')
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
  for (const controller of ['cpu', 'memory', 'pids'] as const)
    if (new RegExp(` - cgroup \\S+ rw\\S*\\b${controller}\\b`).test(mounts))
      expect(cgroups.report[controller]).toBe('v1')
})

describe.runIf(has('cpu'))('a share of the CPU', () => {
  test('is kept, raised live, and counted', async () => {
    const group = cgroups.create(['cpu', 'cpuacct'], { cpu: 0.2 })
    const busy = shell('while :; do :; done')
    await group.addLater(busy.pid!)
    for (const folder of group.folders) expect(readFileSync(`${folder}/cgroup.procs`, 'utf8')).toBe(`${busy.pid}\n`)
    const began = performance.now()
    busy.stdin!.write('\n')
    await delay(1000)
    const { cpu } = group.usage()
    const elapsedUs = (performance.now() - began) * 1000
    expect(cpu!.throttledPeriods).toBeGreaterThan(3)
    expect(cpu!.throttledUs).toBeGreaterThan(elapsedUs * 0.3)
    // A period's quota more at each end, and what the kernel hands out in slices.
    expect(cpu!.usageUs).toBeLessThan(elapsedUs * 0.2 + 100_000)
    expect(cpu!.usageUs).toBeGreaterThan(20_000)

    group.limit({})
    await delay(150)
    const before = group.usage().cpu!
    await delay(300)
    expect(group.usage().cpu!.throttledUs - before.throttledUs).toBe(0)
    expect(group.usage().cpu!.usageUs! - before.usageUs!).toBeGreaterThan(90_000)
    await group.remove() // which ends it
    expect(await ended(busy)).toBe('SIGKILL')
    expect(group.folders.some((folder) => existsSync(folder))).toBe(false)
  })

  test('of one thread leaves the others of its process alone', async () => {
    const cell = cgroups.create(['cpu', 'cpuacct'])
    const worker = `new (require('worker_threads').Worker)('for (;;);', { eval: true })`
    const program = node(`${worker}; setInterval(() => console.log('tick'), 20)`)
    await line(program)
    cell.add(program.pid!)
    program.stdin!.write('go\n')
    await line(program)
    const thread = await busyThread(program.pid!)
    const group = cell.createThreadGroup({ cpu: 0.1 })
    await group.addThreadLater(thread)
    let ticks = 0
    program.stdout!.on('data', (data) => (ticks += String(data).split('\n').length - 1))
    await delay(1000)
    expect(group.usage().cpu!.throttledUs).toBeGreaterThan(300_000)
    expect(ticks).toBeGreaterThan(10)
    group.limit({ cpu: 0.5 })
    cell.addThread(thread)
    const free = group.usage().cpu!.usageUs!
    await delay(200)
    expect(group.usage().cpu!.usageUs! - free).toBeLessThan(10_000)
    await group.remove()
    await cell.remove()
  })

  test('of a thread group is at most that of its cell', () => {
    const cell = cgroups.create(['cpu'], { cpu: 0.5 })
    // Version 1 refuses; in version 2 the cell's own limit holds.
    if (cgroups.report.cpu === 'v1')
      expect(() => cell.createThreadGroup({ cpu: 1 })).toThrow(
        expect.objectContaining({
          errno: 'EINVAL',
          controller: 'cpu',
          message: expect.stringContaining('a group above'),
        }),
      )
    expect(cell.createThreadGroup({ cpu: 0.25 }).limits).toEqual({ cpu: 0.25 })
    for (const cpu of [0.3, 0.001, 0.5, 0.05]) cell.createThreadGroup({ cpu: 0.001 }).limit({ cpu })
    cell.limit({ cpu: 1024 })
    cell.limit({ cpu: 0.5 })
  })
})

/** The thread, other than the first, that is the first to have used a fifth of a second. */
async function busyThread(pid: number): Promise<number> {
  for (;;) {
    for (const tid of readdirSync(`/proc/${pid}/task`)) {
      const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1')
      const userTicks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[11])
      if (Number(tid) !== pid && userTicks >= 20) return Number(tid)
    }
    await delay(10)
  }
}

describe.runIf(has('memory'))('memory', () => {
  test('beyond the limit ends the process, and is counted', async () => {
    const group = cgroups.create(['memory'], { memoryBytes: 64 * 2 ** 20 })
    const hungry = node(`Buffer.alloc(256 * 2 ** 20, 1); console.log('had it')`)
    await line(hungry)
    group.add(hungry.pid!)
    const end = ended(hungry)
    hungry.stdin!.write('go\n')
    expect(await end).toBe('SIGKILL')
    const { memory } = group.usage()
    expect(memory!.oomKills).toBeGreaterThan(0)
    expect(memory!.peakBytes).toBeGreaterThan(32 * 2 ** 20)
    expect(memory!.peakBytes).toBeLessThanOrEqual(64 * 2 ** 20)
    await group.remove()
  })

  test('is had once the limit is raised live; below what is in use it can not be lowered, or kills', async () => {
    const group = cgroups.create(['memory'], { memoryBytes: 64 * 2 ** 20 })
    const hungry = node(
      `globalThis.kept = Buffer.alloc(128 * 2 ** 20, 1); console.log('had it'); setInterval(() => {}, 1e6)`,
    )
    await line(hungry)
    group.add(hungry.pid!)
    group.limit({ memoryBytes: 512 * 2 ** 20 })
    hungry.stdin!.write('go\n')
    expect(await line(hungry)).toBe('had it')
    expect(group.usage().memory!.currentBytes).toBeGreaterThan(100 * 2 ** 20)
    const lower = (): void => group.limit({ memoryBytes: 16 * 2 ** 20 })
    if (cgroups.report.memory === 'v1') {
      expect(lower).toThrow(expect.objectContaining({ errno: 'EBUSY', controller: 'memory' }))
      expect(group.limits).toEqual({ memoryBytes: 512 * 2 ** 20 })
    } else {
      lower()
      expect(await ended(hungry)).toBe('SIGKILL')
    }
    group.limit({})
    await group.remove()
  })
})

describe.runIf(has('pids'))('the number of tasks', () => {
  test('stops forks with EAGAIN, is counted, and raised live', async () => {
    const group = cgroups.create(['pids'])
    const forks = node(`
      const { spawn } = require('child_process')
      const fork = () => new Promise((done) => {
        const child = spawn('sleep', ['0'])
        child.once('error', (error) => done(error.code))
        child.once('exit', () => done('forked'))
      })
      console.log(await fork())
      process.stdin.once('data', async () => console.log(await fork()))`)
    await line(forks)
    group.add(forks.pid!)
    const { current } = group.usage().pids!
    expect(current).toBe(readdirSync(`/proc/${forks.pid}/task`).length)
    group.limit({ pids: current })
    forks.stdin!.write('go\n')
    expect(await line(forks)).toBe('EAGAIN')
    expect(group.usage().pids!.refused).toBeGreaterThan(0)
    group.limit({ pids: current + 4 })
    forks.stdin!.write('go\n')
    expect(await line(forks)).toBe('forked')
    await group.remove()
  })
})

describe.runIf(has('cpu') || has('memory') || has('pids'))('what is left behind', () => {
  test('nothing after the end, and this process is where it was', async () => {
    const before = { groups: left(), own: readFileSync('/proc/self/cgroup', 'utf8') }
    {
      await using own = Cgroups.open()
      const group = own.create()
      group.add(shell('sleep 60').pid!)
      expect(left().length).toBeGreaterThan(before.groups.length)
    }
    expect({ groups: left(), own: readFileSync('/proc/self/cgroup', 'utf8') }).toEqual(before)
  })

  test('what a supervisor that was killed left is removed by the next one, once nothing runs in it', async () => {
    const base = dirname(dirname(cgroups.create().folders[0]!))
    // As a process makes it that is gone by now.
    const gone = start('/bin/sleep', ['60'])
    const name = parentName({ ...kernelHost, pid: gone.pid! })
    const folder = `${base}/${name}`
    kernelHost.makeFolder(folder)
    kernelHost.makeFolder(`${folder}/cell-1`)
    const survivor = start('/bin/sleep', ['60'])
    kernelHost.write(`${folder}/cell-1/cgroup.procs`, String(survivor.pid))
    const survives = async (): Promise<boolean> => {
      await using _ = Cgroups.open()
      return existsSync(`${folder}/cell-1`)
    }
    expect(await survives()).toBe(true) // its supervisor runs
    gone.kill('SIGKILL')
    await ended(gone)
    expect(await survives()).toBe(true) // its cell runs
    survivor.kill('SIGKILL')
    await ended(survivor)
    expect(await survives()).toBe(false)
    expect(existsSync(folder)).toBe(false)
  })

  test('a process that has ended can not be added', async () => {
    const short = shell('exit')
    const end = ended(short)
    short.stdin!.write('\n')
    await end
    const gone = expect.objectContaining({ code: 'ERR_PYISOLATE_CGROUP', errno: 'ESRCH' })
    expect(() => cgroups.create().add(short.pid!)).toThrow(gone)
    await expect(cgroups.create().addLater(short.pid!)).rejects.toEqual(gone)
  })
})

/** Says as JSON what an ordinary user gets: the module's path is its argument. */
const report = `
  const { openCgroups } = await import(process.argv[1])
  const groups = openCgroups()
  const missing = Object.fromEntries(['cpu', 'memory', 'pids'].map((name) => [name, groups.missing(name)]))
  let refused
  try { groups.create(['cpu'], { cpu: 0.5 }) } catch ({ code, controller }) { refused = { code, controller } }
  await groups[Symbol.asyncDispose]()
  console.log(JSON.stringify({ uid: process.getuid(), missing, refused }))`

test('an ordinary user without a delegated group is told so, controller by controller', async (context) => {
  if (process.getuid?.() !== 0) return context.skip('only root can become another user')
  const before = left()
  // In a process of its own, as some builds of Node never change their ids. Wherever the checkout lies it may be read.
  const reading = ['--inh-caps=-all,+dac_read_search', '--ambient-caps=+dac_read_search']
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', ...reading]
  const module = fileURLToPath(new URL('../../dist/index.js', import.meta.url))
  const child = start('setpriv', [...nobody, process.execPath, '--input-type=module', '-e', report, module])
  const theirs = JSON.parse(await line(child))
  expect(await ended(child)).toBe(0)
  expect(theirs.uid).toBe(65534)
  for (const controller of ['cpu', 'memory', 'pids'])
    expect(theirs.missing[controller]).toMatch(/EACCES \(this user may not change the group: .*Delegate=yes/)
  expect(theirs.refused).toEqual({ code: 'ERR_PYISOLATE_CGROUP', controller: 'cpu' })
  expect(left()).toEqual(before)
})
