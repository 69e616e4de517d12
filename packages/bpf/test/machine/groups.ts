import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BpfPolicy, loadCgroup } from '../../src/index.js'
import { forms, raceConnects, swaps } from './connect-race.js'
import { bind, connect, net, sendto, udp } from './rules.js'
import type { Scenario } from './scenario.js'
import { Subject } from './subject.js'

/** The v2 tree, alone or beside v1's. */
export const tree = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((at) => existsSync(`${at}/cgroup.procs`))

const policy = (nets: BpfPolicy['nets']): BpfPolicy => ({ files: [], nets, unixes: [], contractPaths: [] })

/** A group of its own, gone when everybody has left it. */
function group(): { readonly folder: string } & AsyncDisposable {
  const folder = mkdtempSync(`${tree}/pyisolate-bpf-`)
  return {
    folder,
    async [Symbol.asyncDispose]() {
      for (let i = 0; ; i++)
        try {
          return rmdirSync(folder)
        } catch (error) {
          // What was killed leaves its group a moment later.
          if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || i === 100) throw error
          await sleep(20)
        }
    },
  }
}

async function inside(folder: string, executable: string | undefined): Promise<Subject> {
  const subject = new Subject(executable)
  await subject.id('main')
  writeFileSync(`${folder}/cgroup.procs`, `${subject.pid}`)
  return subject
}

type Case = readonly [
  call: string,
  unconfined: string,
  confined: string,
  event?: [operation: string, object: string, rule: number | undefined],
]

const cases: readonly Case[] = [
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

/** Addresses are decided as the LSM programs decide them, and events say why. */
export async function addressRules(executable?: string): Promise<void> {
  using cgroup = loadCgroup()
  const nets = [
    net('127.0.0.0', 8, [8101, 8110], { rule: 1, ops: connect | bind }),
    net('127.0.0.0', 8, [8101, 8110], { rule: 2, ops: sendto, protocol: udp }),
    net('127.0.0.9', 32, [1, 65_535], { rule: 3, deny: true, ops: 7 }),
  ]
  assert.deepEqual(cgroup.putPolicy(1, policy(nets)), [])
  await using own = group()
  await using outside = new Subject(executable)
  for (const at of ['127.0.0.1 8101', '127.0.0.1 8111'])
    assert.equal(await outside.call('main', `serve tcp ${at}`), 'ok')
  await using subject = await inside(own.folder, executable)
  for (const [call, unconfined] of cases) assert.deepEqual([call, await subject.call('main', call)], [call, unconfined])
  cgroup.attach(own.folder, { sandbox: 5n, slot: 1 })
  for (const [call, , confined, event] of cases) {
    assert.deepEqual([call, await subject.call('main', call)], [call, confined])
    const told = cgroup.events().flatMap((one) => (one.kind === 'denied' ? [one] : []))
    assert.deepEqual(
      told.map(({ operation, object, rule }) => [operation, object, rule]),
      event ? [event] : [],
    )
  }
  assert.equal(cgroup.counters(5n).denied, BigInt(cases.filter(([, , , event]) => event).length))
  // Children are in the group; others are not.
  assert.equal(await subject.call('main', 'forked connect tcp 127.0.0.1 8111'), 'EACCES')
  assert.equal(await outside.call('main', 'connect tcp 127.0.0.1 8111'), 'ok')

  cgroup.putPolicy(2, policy([net('127.0.0.1', 32, [8111, 8111], {})]))
  assert.equal(cgroup.swap(5n, 2), 2)
  assert.equal(await subject.call('main', 'connect tcp 127.0.0.1 8111'), 'ok')
  assert.equal(await subject.call('main', 'connect tcp 127.0.0.1 8101'), 'EACCES')
  cgroup.remove(5n)
  assert.equal(await subject.call('main', 'socket 2 1 0'), 'EACCES')
}

/** What passes in a second is what the bucket holds and gets, either way. */
export async function groupBandwidth(executable?: string): Promise<void> {
  using cgroup = loadCgroup()
  cgroup.putPolicy(1, policy([net('127.0.0.1', 32, [1, 65_535], { ops: 7, protocol: udp })]))
  const rate = 200_000
  const burst = 128 << 10
  for (const [i, direction] of (['out', 'in', 'neither'] as const).entries()) {
    await using own = group()
    await using subject = await inside(own.folder, executable)
    const limit = { out: { bytesOutPerSecond: rate }, in: { bytesInPerSecond: rate }, neither: {} }[direction]
    cgroup.attach(own.folder, { sandbox: BigInt(7 + i), slot: 1 }, limit)
    const started = performance.now()
    // 1,000 bytes each to a socket of its own: egress and ingress of the same group.
    assert.equal(await subject.call('main', 'flood 127.0.0.1 8120 1000 1000'), 'ok')
    const seconds = (performance.now() - started) / 1000
    const { bytesIn, bytesOut, droppedIn, droppedOut } = cgroup.meter(own.folder)
    const all = 1000 * 1028 // IPv4 and UDP have headers of 20 and 8 bytes
    if (direction === 'neither') {
      assert.deepEqual([bytesOut, bytesIn, droppedIn, droppedOut], [BigInt(all), BigInt(all), 0n, 0n])
      continue
    }
    const [passed, dropped] = direction === 'out' ? [bytesOut, droppedOut] : [bytesIn, droppedIn]
    assert.ok(Number(passed) <= burst + rate * seconds, `${passed} in ${seconds} s`)
    assert.ok(Number(passed) > burst - 1028, `${passed}`)
    assert.equal(Number(passed + dropped), all)
    assert.equal(bytesOut, direction === 'out' ? bytesIn : BigInt(all))
  }
}

/** As for the LSM programs. */
export async function connectRaces(executable?: string): Promise<void> {
  using cgroup = loadCgroup()
  cgroup.putPolicy(1, forms[0])
  cgroup.putPolicy(2, forms[1])
  await using own = group()
  await using outside = new Subject(executable)
  await using subject = await inside(own.folder, executable)
  cgroup.attach(own.folder, { sandbox: 6n, slot: 1 })
  await raceConnects(subject, outside, (form, filledAnew) => {
    if (filledAnew) cgroup.putPolicy(form + 1, forms[form])
    cgroup.swap(6n, form + 1)
  })
  assert.ok(cgroup.counters(6n).denied > 500n)
}

export const groups: readonly Scenario[] = [
  {
    name: 'control groups: addresses are decided as the LSM programs decide them, and events say why',
    by: 'bpf-cgroup',
    rules: ['net.connect', 'net.bind', 'net.sendto', 'net.deny'],
    run: () => addressRules(),
  },
  {
    name: 'control groups: bandwidth is what the bucket holds and gets, either way',
    by: 'bpf-cgroup',
    rules: ['limits.bandwidthIn', 'limits.bandwidthOut'],
    run: () => groupBandwidth(),
  },
  {
    name: `control groups: connects under ${swaps} reloads: no forbidden one passes, no permitted one fails`,
    by: 'bpf-cgroup',
    rules: ['reload', 'net.connect'],
    run: () => connectRaces(),
  },
]
