import { existsSync, mkdtempSync, rmdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { type BpfPolicy, type CgroupPrograms, loadCgroup, probe } from '../src/index.js'
import { bind, connect, net, sendto, udp } from './machine/rules.js'
import { Subject } from './machine/subject.js'

/** The v2 tree, alone or beside v1's. */
const trees = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].filter((tree) => existsSync(`${tree}/cgroup.procs`))
const support = probe().find(({ feature }) => feature === 'bpf-cgroup')
const executable = fileURLToPath(new URL('../build/Release/pyisolate-subject', import.meta.url))
const policy = (nets: BpfPolicy['nets']): BpfPolicy => ({ files: [], nets, unixes: [], contractPaths: [] })

const folders: string[] = []
function group(): string {
  const folder = mkdtempSync(`${trees[0]}/pyisolate-bpf-`)
  folders.push(folder)
  return folder
}

async function inside(folder: string): Promise<Subject> {
  const subject = new Subject(executable)
  await subject.id('main')
  writeFileSync(`${folder}/cgroup.procs`, `${subject.pid}`)
  return subject
}

afterAll(() => {
  for (const folder of folders) rmdirSync(folder)
})

const why = support?.supported === true && trees.length > 0 ? undefined : (support?.evidence ?? 'no control groups v2')
// Root makes groups and loads programs: there it must work.
const justified = why !== undefined && process.getuid?.() !== 0

describe('programs on control groups, on this very machine', () => {
  const rules = (context: { skip(note: string): void }): void => {
    if (justified) context.skip(`needs bpf-cgroup; ${why}`)
    expect(why).toBeUndefined()
  }

  test('addresses are decided as the LSM programs decide them, and events say why', async (context) => {
    rules(context)
    using cgroup: CgroupPrograms = loadCgroup()
    const nets = [
      net('127.0.0.0', 8, [8101, 8110], { rule: 1, ops: connect | bind }),
      net('127.0.0.0', 8, [8101, 8110], { rule: 2, ops: sendto, protocol: udp }),
      net('127.0.0.9', 32, [1, 65_535], { rule: 3, deny: true, ops: 7 }),
    ]
    expect(cgroup.putPolicy(1, policy(nets))).toEqual([])
    const folder = group()
    await using outside = new Subject(executable)
    for (const at of ['127.0.0.1 8101', '127.0.0.1 8111'])
      expect(await outside.call('main', `serve tcp ${at}`)).toBe('ok')
    await using subject = await inside(folder)
    const cases: [call: string, unconfined: string, confined: string, event?: [string, string, number | undefined]][] =
      [
        ['connect tcp 127.0.0.1 8101', 'ok', 'ok'],
        ['connect tcp ::ffff:127.0.0.1 8101', 'ok', 'ok'],
        ['connect tcp 127.0.0.1 8111', 'ok', 'EACCES', ['connect', 'tcp://127.0.0.1:8111', undefined]],
        ['connect tcp ::ffff:127.0.0.1 8111', 'ok', 'EACCES', ['connect', 'tcp://127.0.0.1:8111', undefined]],
        ['connect tcp 0.0.0.0 8111', 'ok', 'EACCES', ['connect', 'tcp://127.0.0.1:8111', undefined]],
        ['connect udp 127.0.0.1 8101', 'ok', 'EACCES', ['connect', 'udp://127.0.0.1:8101', undefined]],
        ['connect tcp 127.0.0.9 8101', 'ECONNREFUSED', 'EACCES', ['connect', 'tcp://127.0.0.9:8101', 3]],
        ['fastopen tcp 127.0.0.1 8111', 'ok', 'EACCES', ['connect', 'tcp://127.0.0.1:8111', undefined]],
        ['sendto udp 127.0.0.1 8105', 'ok', 'ok'],
        ['sendmsg udp 127.0.0.1 8111', 'ok', 'EACCES', ['sendto', 'udp://127.0.0.1:8111', undefined]],
        ['sendto udp ::ffff:127.0.0.1 8111', 'ok', 'EACCES', ['sendto', 'udp://127.0.0.1:8111', undefined]],
        ['bind tcp 127.0.0.1 8103', 'ok', 'ok'],
        ['bind tcp 127.0.0.1 0', 'ok', 'EACCES', ['bind', 'tcp://127.0.0.1:0', undefined]],
        ['bind tcp 0.0.0.0 8103', 'ok', 'EACCES', ['bind', 'tcp://0.0.0.0:8103', undefined]],
        ['socket 2 3 1', 'ok', 'EACCES', ['socket', 'address family 2', undefined]],
        ['socket 2 1 6', 'ok', 'ok'],
      ]
    for (const [call, unconfined] of cases) expect([call, await subject.call('main', call)]).toEqual([call, unconfined])
    cgroup.attach(folder, { sandbox: 5n, slot: 1 })
    for (const [call, , confined, event] of cases) {
      expect([call, await subject.call('main', call)]).toEqual([call, confined])
      const told = cgroup.events().flatMap((one) => (one.kind === 'denied' ? [one] : []))
      expect(told.map(({ operation, object, rule }) => [operation, object, rule])).toEqual(event ? [event] : [])
    }
    expect(cgroup.counters(5n).denied).toBe(BigInt(cases.filter(([, , , event]) => event).length))
    // Children are in the group; others are not.
    expect(await subject.call('main', 'forked connect tcp 127.0.0.1 8111')).toBe('EACCES')
    expect(await outside.call('main', 'connect tcp 127.0.0.1 8111')).toBe('ok')

    cgroup.putPolicy(2, policy([net('127.0.0.1', 32, [8111, 8111], {})]))
    expect(cgroup.swap(5n, 2)).toBe(2)
    expect(await subject.call('main', 'connect tcp 127.0.0.1 8111')).toBe('ok')
    expect(await subject.call('main', 'connect tcp 127.0.0.1 8101')).toBe('EACCES')
    cgroup.remove(5n)
    expect(await subject.call('main', 'socket 2 1 0')).toBe('EACCES')
  })

  test('bandwidth: what passes in a second is what the bucket holds and gets, either way', async (context) => {
    rules(context)
    using cgroup = loadCgroup()
    cgroup.putPolicy(1, policy([net('127.0.0.1', 32, [1, 65_535], { ops: 7, protocol: udp })]))
    const rate = 200_000
    const burst = 128 << 10
    for (const direction of ['out', 'in', 'neither'] as const) {
      const folder = group()
      await using subject = await inside(folder)
      const limit = { out: { bytesOutPerSecond: rate }, in: { bytesInPerSecond: rate }, neither: {} }[direction]
      cgroup.attach(folder, { sandbox: 7n, slot: 1 }, limit)
      const started = performance.now()
      // 1,000 bytes each to a socket of its own: egress and ingress of the same group.
      expect(await subject.call('main', 'flood 127.0.0.1 8120 1000 1000')).toBe('ok')
      const seconds = (performance.now() - started) / 1000
      const { bytesIn, bytesOut, droppedIn, droppedOut } = cgroup.meter(folder)
      const all = 1000 * 1028 // IPv4 and UDP have headers of 20 and 8 bytes
      const most = burst + rate * seconds
      if (direction === 'neither') {
        expect([bytesOut, bytesIn, droppedIn, droppedOut]).toEqual([BigInt(all), BigInt(all), 0n, 0n])
      } else {
        const [passed, dropped] = direction === 'out' ? [bytesOut, droppedOut] : [bytesIn, droppedIn]
        expect(Number(passed)).toBeLessThanOrEqual(most)
        expect(Number(passed)).toBeGreaterThan(burst - 1028)
        expect(Number(passed + dropped)).toBe(all)
        if (direction === 'out') expect(bytesIn).toBe(bytesOut)
        else expect(bytesOut).toBe(BigInt(all))
      }
    }
  })
})
