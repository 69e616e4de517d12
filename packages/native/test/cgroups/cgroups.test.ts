import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { CgroupError } from '../../src/errors/cgroup-error.js'
import { Cgroups } from '../../src/internal/cgroups/cgroups.js'
import { controllers, placesFor } from '../../src/internal/cgroups/hierarchy.js'

const cgroups = Cgroups.open()
afterAll(() => cgroups.close())

describe('where groups could be made', () => {
  test('v2 under systemd: the own group and all above it', () => {
    const places = placesFor(
      '30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
      '0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope\n',
    )
    expect(places.map(({ folder }) => folder)).toEqual([
      '/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope',
      '/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice',
      '/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service',
      '/sys/fs/cgroup/user.slice/user-1000.slice',
      '/sys/fs/cgroup/user.slice',
      '/sys/fs/cgroup',
    ])
  })

  test('hybrid: v2 without controllers, v1 with hierarchies of their own, a container’s part of one', () => {
    const places = placesFor(
      `41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd`,
      '8:pids:/\n4:memory:/docker/abc\n1:cpu,cpuacct:/a/b\n0::/\n',
    )
    expect(places).toEqual([
      { version: 2, folder: '/sys/fs/cgroup/unified', controllers },
      { version: 1, folder: '/sys/fs/cgroup/cpu,cpuacct/a/b', controllers: ['cpu'] },
      { version: 1, folder: '/sys/fs/cgroup/memory', controllers: ['memory'] },
      { version: 1, folder: '/sys/fs/cgroup/pids', controllers: ['pids'] },
    ])
  })

  test('nothing mounted is nothing to be had, and says so', () => {
    const none = Cgroups.open(placesFor('', ''))
    for (const name of controllers) {
      expect(none.version(name)).toBeUndefined()
      expect(none.missing(name)).toContain('Delegate=yes')
    }
    none.close()
  })
})

/** A folder that behaves like cgroup v2 as far as plain files can: control files are there already. */
function tree(): string {
  const top = mkdtempSync(join(tmpdir(), 'pyisolate-cgroup-'))
  onTestFinished(() => rmSync(top, { recursive: true }))
  return top
}

describe('groups', () => {
  test('a folder that lacks control files is no place', () => {
    const plain = Cgroups.open([{ version: 2, folder: tree(), controllers }])
    expect(controllers.map((name) => plain.version(name))).toEqual([undefined, undefined, undefined])
  })

  test('what a dead process left is removed, what a living one has is not', () => {
    const top = tree()
    const start = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]!.split(' ')[19]
    for (const name of ['pyisolate-4194303-1-1', `pyisolate-${process.pid}-${start}-0`, 'other'])
      mkdirSync(join(top, name, 'x'), { recursive: true })
    Cgroups.open([{ version: 1, folder: top, controllers: ['cpu'] }])
    expect(readdirSync(top).filter((name) => name !== 'other')).not.toContain('pyisolate-4194303-1-1')
    expect(readdirSync(top)).toContain('other')
    expect(readdirSync(top)).toContain(`pyisolate-${process.pid}-${start}-0`)
  })

  test('a value that the kernel refuses is an error with its file', () => {
    const top = tree()
    const made = Cgroups.open([{ version: 1, folder: top, controllers: ['cpu'] }])
    const group = made.create()
    let error: unknown
    try {
      group.limit({ cpu: 0.5 })
    } catch (thrown) {
      error = thrown
    }
    expect(CgroupError.isInstance(error) && [error.errno, error.file.endsWith('cpu.cfs_period_us')]).toEqual([
      'ENOENT',
      true,
    ])
  })
})

function child(code: string): ChildProcess {
  const started = spawn('sh', ['-c', code], { stdio: ['pipe', 'pipe', 'ignore'] })
  onTestFinished(() => void started.kill('SIGKILL'))
  return started
}

const granted = (['cpu', 'pids', 'memory'] as const).filter((name) => cgroups.version(name) !== undefined)

describe('on this host', () => {
  test('an ordinary user learns what is missing; root has what the kernel mounted', () => {
    const mounted = readFileSync('/proc/self/mountinfo', 'utf8')
    const v1 = / - cgroup \S+ \S*\bcpu\b/.test(mounted)
    if (process.getuid?.() === 0 && v1) expect(cgroups.version('cpu')).toBeDefined()
    for (const name of controllers)
      expect(cgroups.version(name) === undefined).toBe(cgroups.missing(name) !== undefined)
  })

  test.runIf(granted.includes('cpu'))('a share of the CPU is kept, changed live, and gone with its group', async () => {
    const group = cgroups.create(['cpu'])
    group.limit({ cpu: 0.1 })
    const busy = child('read go; while :; do :; done')
    group.add(busy.pid!)
    busy.stdin!.write('\n')
    const throttled = async (): Promise<number> => {
      const before = group.usage().throttledMs
      await delay(600)
      return group.usage().throttledMs - before
    }
    expect(await throttled()).toBeGreaterThan(100)
    group.limit({ cpu: 8 })
    await delay(100)
    expect(await throttled()).toBe(0)
    busy.kill('SIGKILL')
    await new Promise((resolve) => busy.once('close', resolve))
    await group.remove()
  })

  test.runIf(granted.includes('pids'))('no more processes than it may have', async () => {
    const group = cgroups.create(['pids'])
    group.limit({ processes: 3 })
    const shell = child('read go; sleep 5 & sleep 5 & sleep 5 & echo no; wait')
    group.add(shell.pid!)
    let out = ''
    shell.stdout!.on('data', (text) => (out += text))
    const end = new Promise<number | null>((resolve) => shell.once('close', resolve))
    shell.stdin!.write('\n')
    await delay(300)
    expect(out).not.toContain('no')
    shell.kill('SIGKILL')
    shell.stdout!.destroy()
    await Promise.race([end, delay(1000)])
  })

  test.runIf(granted.includes('memory'))('memory beyond its limit is not to be had', async () => {
    const group = cgroups.create(['memory'])
    group.limit({ memory: 32 * 2 ** 20 })
    const node = spawn(
      process.execPath,
      ['-e', 'process.stdin.once("data", () => { Buffer.alloc(256 * 2 ** 20, 1); console.log("had it") })'],
      { stdio: ['pipe', 'pipe', 'ignore'] },
    )
    let out = ''
    node.stdout.on('data', (text) => (out += text))
    await delay(200)
    group.add(node.pid!)
    node.stdin.write('go\n')
    const signal = await new Promise((resolve) => node.once('exit', (_, name) => resolve(name)))
    expect({ out, signal }).toEqual({ out: '', signal: 'SIGKILL' })
    await group.remove()
  })

  test.runIf(granted.length > 0)('nothing is left behind', () => {
    const groups = (): string[] =>
      (['cpu', 'memory', 'pids', 'unified'] as const)
        .map((name) => `/sys/fs/cgroup/${name}`)
        .filter((folder) => existsSync(folder))
        .flatMap((folder) => readdirSync(folder).filter((name) => name.startsWith(`pyisolate-${process.pid}-`)))
    const before = groups()
    const own = Cgroups.open()
    expect(groups().length).toBeGreaterThan(before.length)
    own.close()
    expect(groups()).toEqual(before)
  })
})
