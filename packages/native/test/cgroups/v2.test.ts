import { describe, expect, test } from 'vitest'

import { CgroupError } from '../../src/errors/cgroup-error.js'
import { Cgroups } from '../../src/internal/cgroups/cgroups.js'
import { FakeV2, MOUNT } from './fake-v2.js'

const all = { cpu: 'v2', memory: 'v2', pids: 'v2' }
const parentOf = (host: FakeV2): string => [...host.groups.keys()].find((path) => /\/pyisolate-[^/]+$/.test(path))!
const snapshot = (host: FakeV2): string =>
  JSON.stringify([...host.groups].map(([path, { passesOn, processes }]) => [path, [...passesOn], [...processes]]))

describe('where groups of version 2 are made', () => {
  test('in the root: this process stays, the controllers are passed on and taken back', () => {
    const host = new FakeV2('/')
    const before = snapshot(host)
    const cgroups = Cgroups.open({}, host)
    expect(cgroups.report).toEqual(all)
    expect(host.where(100)).toBe('/')
    expect(parentOf(host)).toMatch(/^\/sys\/fs\/cgroup\/pyisolate-100-5000-4026531836-[0-9a-f]{8}$/)
    expect(host.groups.has(`${parentOf(host)}/supervisor`)).toBe(false)
    cgroups.close()
    expect(snapshot(host)).toBe(before)
  })

  test('in a delegated group: this process and what it started move to a leaf, and back', () => {
    const host = new FakeV2('/user.slice/run.scope')
    host.groups.get(`${MOUNT}/user.slice`)!.foreign = true
    host.groups.get(MOUNT)!.foreign = true
    host.fork(101, 100, '/user.slice/run.scope')
    host.fork(102, 101, '/user.slice/run.scope')
    const before = snapshot(host)
    const cgroups = Cgroups.open({}, host)
    expect(cgroups.report).toEqual(all)
    const leaf = `${parentOf(host).slice(MOUNT.length)}/supervisor`
    expect([100, 101, 102].map((pid) => host.where(pid))).toEqual([leaf, leaf, leaf])
    const group = cgroups.create(undefined, { cpu: 0.5, memoryBytes: 2 ** 26, pids: 8 })
    group.add(102)
    expect(host.where(102)).toBe(group.folders[0]!.slice(MOUNT.length))
    group.addThread(102)
    expect(() => cgroups.close()).toThrow(expect.objectContaining({ code: 'ERR_PYISOLATE_CGROUP', errno: 'EBUSY' }))
    host.groups.get(group.folders[0]!)!.processes.delete(102)
    expect(before).toContain('102')
  })

  test('a closed one leaves a delegated group as it was', async () => {
    const host = new FakeV2('/run.scope')
    host.fork(101, 100, '/run.scope')
    const before = snapshot(host)
    {
      await using cgroups = Cgroups.open({}, host)
      cgroups.create(undefined, { pids: 4 })
    }
    expect(snapshot(host)).toBe(before)
  })

  test('with processes of others in the group, nothing changes and the report says whose; `all` moves them', () => {
    const host = new FakeV2('/run.scope')
    for (const pid of [90, 91, 92, 93, 94, 95]) host.fork(pid, 1, '/run.scope')
    const before = snapshot(host)
    const refused = Cgroups.open({}, host)
    for (const name of ['cpu', 'memory', 'pids'] as const)
      expect(refused.missing(name)).toMatch(
        /^v2: .*run\.scope holds processes .*90, 91, 92, 93, 94, ….*processes: 'all'/,
      )
    refused.close()
    expect(snapshot(host)).toBe(before)
    const cgroups = Cgroups.open({ processes: 'all' }, host)
    expect(cgroups.report).toEqual(all)
    expect(host.where(95)).toBe(host.where(100))
    cgroups.close()
    expect(host.where(95)).toBe('/run.scope')
  })

  test('a process from outside of the pid namespace is never moved: 0 would mean this one', () => {
    const host = new FakeV2('/run.scope')
    host.groups.get(`${MOUNT}/run.scope`)!.processes.add(0)
    expect(Cgroups.open({ processes: 'all' }, host).missing('cpu')).toContain('holds processes')
    expect(host.writes).toEqual([])
  })

  test("a second one, too, beside the first one's groups; the last one that can puts everything back", () => {
    const host = new FakeV2('/run.scope')
    const first = Cgroups.open({}, host)
    const second = Cgroups.open({}, host)
    expect(second.report).toEqual(all)
    expect(host.folders(`${MOUNT}/run.scope`)).toHaveLength(2)
    second.create(undefined, { cpu: 1 }).add(100)
    expect(host.where(100)).toMatch(/cell-1$/)
    host.write(`${MOUNT}/run.scope/${host.folders(`${MOUNT}/run.scope`)[0]}/supervisor/cgroup.procs`, '100')
    second.close()
    first.close()
    expect(host.where(100)).toBe('/run.scope')
    expect(host.folders(`${MOUNT}/run.scope`)).toEqual([])
  })

  test('the first one closed while the second has groups keeps what those need', () => {
    const host = new FakeV2('/run.scope')
    const first = Cgroups.open({}, host)
    const second = Cgroups.open({}, host)
    first.close()
    expect(host.groups.get(`${MOUNT}/run.scope`)!.passesOn.size).toBe(3)
    expect(second.create(undefined, { pids: 2 }).limits).toEqual({ pids: 2 })
  })

  test('only what is offered, the rest with its reason', () => {
    const host = new FakeV2('/run.scope', ['memory', 'pids'])
    const { report } = Cgroups.open({}, host)
    expect(report).toMatchObject({ memory: 'v2', pids: 'v2' })
    expect(report.cpu).toEqual({ missing: 'v2: /sys/fs/cgroup/run.scope has no such controller: memory pids' })
  })

  test('a controller that can not be passed on is missing, the others are not', () => {
    const host = new FakeV2('/run.scope')
    host.refuse = (_, value) => (value === '+cpu' ? 'EINVAL' : undefined)
    const { report } = Cgroups.open({}, host)
    expect(report).toMatchObject({ memory: 'v2', pids: 'v2' })
    expect(report.cpu).toMatchObject({ missing: expect.stringMatching(/^v2: .*cgroup\.subtree_control: EINVAL/) })
  })

  test.each([
    ['of another user', 'EACCES', /this user may not.*Delegate=yes/],
    ['mounted read-only', 'EROFS', /read-only/],
  ])('a group %s is a reason, and this process is where it was', (_, errno, text) => {
    const host = new FakeV2('/run.scope')
    host.refuse = () => errno
    const before = snapshot(host)
    const cgroups = Cgroups.open({}, host)
    for (const name of ['cpu', 'memory', 'pids'] as const) {
      expect(cgroups.missing(name)).toMatch(text)
      expect(cgroups.missing(name)).toContain(errno)
    }
    expect(snapshot(host)).toBe(before)
    expect(() => cgroups.create(undefined, { cpu: 1 })).toThrow(
      expect.objectContaining({
        code: 'ERR_PYISOLATE_CGROUP',
        controller: 'cpu',
        message: expect.stringMatching(text),
      }),
    )
  })

  test('what fails half-way is taken back', () => {
    const host = new FakeV2('/run.scope')
    const before = snapshot(host)
    host.refuse = (path) => (path.endsWith('.max') ? 'EIO' : undefined)
    const cgroups = Cgroups.open({}, host)
    expect(cgroups.missing('memory')).toContain('memory.max: EIO')
    expect(snapshot(host)).toBe(before)
  })

  test('a group prepared by somebody, named by its path', () => {
    const host = new FakeV2('/session.scope')
    host.groups.set(`${MOUNT}/pyisolate`, { ...structuredClone(host.groups.get(MOUNT)!), type: 'domain' })
    const cgroups = Cgroups.open({ parent: '/pyisolate' }, host)
    expect(cgroups.report).toEqual(all)
    expect(parentOf(host)).toMatch(/^\/sys\/fs\/cgroup\/pyisolate\/pyisolate-100/)
    expect(host.where(100)).toBe('/session.scope')
    cgroups.close()
    expect(host.folders(`${MOUNT}/pyisolate`)).toEqual([])
    expect(Cgroups.open({ parent: '/gone' }, host).missing('cpu')).toContain('ENOENT')
    for (const parent of ['pyisolate', '/a/../b', '/', '/a/', '//a'])
      expect(() => Cgroups.open({ parent }, host)).toThrow(CgroupError)
    expect(() => Cgroups.open({ processes: 'some' as never }, host)).toThrow(CgroupError)
  })

  test('without procfs, or without any hierarchy, the report says so', () => {
    const host = new FakeV2('/')
    host.mounts = ''
    expect(Cgroups.open({}, host).missing('cpu')).toBe('no hierarchy with it is mounted')
    host.starts.clear()
    expect(Cgroups.open({}, host).missing('cpu')).toContain('/proc/self: ENOENT')
    const outside = new FakeV2('/a')
    outside.mounts = `30 23 0:26 /other ${MOUNT} rw - cgroup2 cgroup2 rw\n`
    expect(Cgroups.open({}, outside).missing('cpu')).toContain('outside of what is mounted')
  })
})

describe('what is written', () => {
  const opened = (): { host: FakeV2; cgroups: Cgroups } => {
    const host = new FakeV2('/')
    const cgroups = Cgroups.open({}, host)
    host.writes.length = 0
    return { host, cgroups }
  }
  const brief = ({ writes }: FakeV2): string[] => writes.splice(0).map((line) => line.replace(/^.*\//, ''))

  test('as little as the limits take, and only what changes', () => {
    const { host, cgroups } = opened()
    const group = cgroups.create(undefined, { cpu: 2, memoryBytes: 2 ** 26, pids: 16 })
    expect(brief(host)).toEqual([
      'memory.oom.group 1',
      'memory.swap.max 0',
      `memory.max ${2 ** 26}`,
      'pids.max 16',
      'cpu.max 200000 100000',
    ])
    group.limit({ cpu: 2, memoryBytes: 2 ** 25, pids: 16 })
    expect(brief(host)).toEqual([`memory.max ${2 ** 25}`])
    group.limit({ pids: 17 })
    expect(brief(host)).toEqual(['memory.max max', 'memory.swap.max max', 'pids.max 17', 'cpu.max max 100000'])
    expect(group.limits).toEqual({ memoryBytes: undefined, pids: 17, cpu: undefined })
  })

  test.each([
    [0.001, '1000 1000000'],
    [0.01, '1000 100000'],
    [0.05, '5000 100000'],
    [0.2, '5000 25000'],
    [0.25, '5000 20000'],
    [0.4, '8000 20000'],
    [0.5, '50000 100000'],
    [1024, '102400000 100000'],
  ])('%d processors are %s', (cpu, expected) => {
    const { host, cgroups } = opened()
    cgroups.create(['cpu'], { cpu })
    expect(brief(host)).toEqual([`cpu.max ${expected}`])
  })

  test.each<Readonly<Record<string, unknown>>>([
    { cpu: 0 },
    { cpu: 0.0009 },
    { cpu: 1025 },
    { cpu: Number.NaN },
    { cpu: '1' },
    { cpu: null },
    { memoryBytes: 4095 },
    { memoryBytes: 2 ** 53 },
    { memoryBytes: 5000.5 },
    { memoryBytes: 5000n },
    { pids: 0 },
    { pids: -1 },
    { pids: 4_194_305 },
    { pids: Number.POSITIVE_INFINITY },
    { memory: 5000 },
    { toString: 1 },
  ])('%o is refused before anything is made', (limits) => {
    const { host, cgroups } = opened()
    const before = snapshot(host)
    expect(() => cgroups.create(undefined, limits as never)).toThrow(CgroupError)
    expect(snapshot(host)).toBe(before)
    expect(host.writes).toEqual([])
  })

  test('a limit that the kernel refuses: its file, errno, and no group left', () => {
    const { host, cgroups } = opened()
    const before = snapshot(host)
    host.refuse = (path) => (path.endsWith('memory.max') ? 'EINVAL' : undefined)
    let error: unknown
    try {
      cgroups.create(undefined, { memoryBytes: 2 ** 26 })
    } catch (thrown) {
      error = thrown
    }
    expect(CgroupError.isInstance(error)).toBe(true)
    expect(error).toMatchObject({ controller: 'memory', errno: 'EINVAL', cause: { code: 'EINVAL' } })
    expect((error as CgroupError).file).toMatch(/cell-1\/memory\.max$/)
    expect((error as CgroupError).message).toMatch(/EINVAL \(.*group above/)
    expect(snapshot(host)).toBe(before)
  })

  test.each([0, -1, 1.5, Number.NaN, 4_194_305, '1'])('%s is no process to move', async (pid) => {
    const { host, cgroups } = opened()
    const group = cgroups.create()
    expect(() => group.add(pid as number)).toThrow(CgroupError)
    expect(() => group.addThread(pid as number)).toThrow(CgroupError)
    await expect(group.addLater(pid as number)).rejects.toThrow(CgroupError)
    expect(host.writes).toEqual([])
  })

  test('threads: a threaded group below, of CPU and tasks only', async () => {
    const { host, cgroups } = opened()
    const cell = cgroups.create()
    cell.add(100)
    const threads = cell.createThreadGroup({ cpu: 0.5, pids: 4 })
    threads.addThread(100)
    cell.createThreadGroup({})
    expect(brief(host)).toEqual([
      'cgroup.procs 100',
      'cgroup.subtree_control +cpu +pids',
      'cgroup.type threaded',
      'pids.max 4',
      'cpu.max 50000 100000',
      'cgroup.threads 100',
      'cgroup.type threaded',
    ])
    expect(threads.usage().memory).toBeUndefined()
    expect(cell.usage().memory).toEqual({ currentBytes: 0, peakBytes: undefined, oomKills: undefined })
    expect(() => cell.createThreadGroup({ memoryBytes: 5000 } as never)).toThrow(
      /none of this group's: expected cpu, pids/,
    )
    expect(() => cgroups.create(['memory']).limit({ cpu: 1 })).toThrow(/none of this group's: expected memoryBytes/)
    host.groups.get(cell.folders[0]!)!.processes.clear()
    await cell.remove()
    expect(() => threads.limit({ cpu: 1 })).toThrow(expect.objectContaining({ errno: 'ENOENT', controller: 'pids' }))
  })
})

describe('the end', () => {
  test('what runs in a group is killed; a removed group is of no use', async () => {
    const host = new FakeV2('/')
    const cgroups = Cgroups.open({}, host)
    const group = cgroups.create(undefined, { pids: 5 })
    host.fork(200, 100, group.folders[0]!.slice(MOUNT.length))
    await group.remove()
    expect(host.groups.has(group.folders[0]!)).toBe(false)
    await group.remove()
    for (const use of [() => group.limit({}), () => group.add(200), () => group.usage()])
      expect(use).toThrow(/is removed/)
    cgroups.close()
    cgroups.close()
    expect(() => cgroups.create()).toThrow(/closed/)
  })

  test('without cgroup.kill by signals, never to 0 nor to this process', async () => {
    const host = new FakeV2('/')
    const group = Cgroups.open({}, host).create()
    host.refuse = (path) => (path.endsWith('cgroup.kill') ? 'ENOENT' : undefined)
    const { processes } = host.groups.get(group.folders[0]!)!
    for (const pid of [0, 100]) processes.add(pid)
    host.fork(200, 100, group.folders[0]!.slice(MOUNT.length))
    await expect(group.remove({ patienceMs: 5 })).rejects.toMatchObject({
      code: 'ERR_PYISOLATE_CGROUP',
      errno: 'EBUSY',
    })
    expect(new Set(host.signals)).toEqual(new Set([200]))
    processes.clear()
    await group.remove()
    expect(host.groups.has(group.folders[0]!)).toBe(false)
  })

  test('only what dead supervisors of this pid namespace left behind is swept up, and nothing that is in use', () => {
    const host = new FakeV2('/')
    const dead = [
      'pyisolate-77-1-4026531836-00000000',
      'pyisolate-100-4999-4026531836-00000000', // the number was used again
    ]
    const kept = [
      'pyisolate-100-5000-4026531836-00000000',
      'pyisolate-77-1-4026531999-00000000',
      'pyisolate-78-1-4026531836-00000000',
      'pyisolate-77',
      'other',
    ]
    for (const name of [...dead, ...kept]) {
      host.makeFolder(`${MOUNT}/${name}`)
      host.makeFolder(`${MOUNT}/${name}/cell-1`)
    }
    host.fork(300, 1, '/pyisolate-78-1-4026531836-00000000/cell-1')
    const cgroups = Cgroups.open({}, host)
    const left = host.folders(MOUNT).filter((name) => !parentOf(host).endsWith(name) && name !== 'x')
    expect(left.filter((name) => dead.includes(name))).toEqual([])
    expect(kept.filter((name) => !host.groups.has(`${MOUNT}/${name}/cell-1`))).toEqual([])
    cgroups.close()
  })
})
