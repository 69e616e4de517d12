import assert from 'node:assert/strict'
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type CompiledPolicy, compileBpf, compilePolicy, explain, type Operation, PolicyError } from '@pyisolate/policy'
import { randomNumbers } from '../../../policy/test/random.js'
import type { Scenario } from './scenario.js'
import { Subject } from './subject.js'

const policies = 30
const operations = 25

type Random = (below: number) => number
const pick = <T>(random: Random, all: readonly T[]): T => all[random(all.length)]!

/** Few names, so that rules overlap. */
const names = ['a', 'b', 'ab']
const networks = [
  '0.0.0.0/0',
  '127.0.0.0/8',
  '127.0.0.1',
  '127.0.1.0/24',
  '127.0.0.2/31',
  '[::]/0',
  '[::1]',
  '[::]/127',
]
const addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.1.9', '127.1.0.1', '10.1.2.3', '::1', 'fd00::1']
const mapped = ['::ffff:127.0.0.1', '::ffff:127.0.1.9']
const portWords = ['*', '80', '80-90', '1-1024', '443', '65535']
const portNumbers = [0, 1, 80, 85, 91, 443, 1025, 65_535]
const abstracts = ['pyi-p', 'pyi-pp', 'pyi-q']

/** Folders three deep, a file in each, and all of them. */
function tree(root: string, make: (path: string) => void): { folders: string[]; files: string[] } {
  const folders = [root]
  for (let from = 0, depth = 0; depth < 3; depth++) {
    const to = folders.length
    for (const above of folders.slice(from, to)) for (const name of names) folders.push(join(above, name))
    from = to
  }
  const files = folders.map((folder) => join(folder, 'f'))
  for (const folder of folders) mkdirSync(folder, { recursive: true })
  for (const file of files) make(file)
  return { folders, files }
}

/** Of few folders: a socket of each kind, which somebody serves. */
function socketsIn(folders: readonly string[]): { streams: string[]; datagrams: string[] } {
  const some = folders.slice(0, 6)
  return { streams: some.map((folder) => join(folder, 's')), datagrams: some.map((folder) => join(folder, 'd')) }
}

function somePolicy(random: Random, { folders, files }: ReturnType<typeof tree>): CompiledPolicy {
  const list = (most: number, make: () => string) =>
    JSON.stringify(Array.from({ length: random(most + 1) }, () => make()))
  const path = () =>
    random(2) === 0 ? pick(random, files) : `${pick(random, folders)}${pick(random, ['', '/**', '/**'])}`
  const { streams, datagrams } = socketsIn(folders)
  const unix = () =>
    pick(random, [
      () => `unix://@${pick(random, abstracts)}`,
      () => `unix://${pick(random, [...streams, ...datagrams])}`,
      () => `unix://${pick(random, folders.slice(0, 6))}/**`,
    ])()
  const target = () =>
    random(3) === 0 ? unix() : `${pick(random, ['tcp', 'udp'])}://${pick(random, networks)}:${pick(random, portWords)}`
  for (;;)
    try {
      return compilePolicy(
        `version: 1
fs: { read: ${list(12, path)}, write: ${list(12, path)}, exec: ${list(12, path)}, deny: ${list(2, path)} }
net: { connect: ${list(14, target)}, bind: ${list(14, target)}, sendto: ${list(14, target)}, deny: ${list(1, target)} }`,
      )
    } catch (error) {
      // Rules that contradict each other.
      if (!PolicyError.isInstance(error)) throw error
    }
}

interface Tried {
  /** More than one: the kernel takes either's permission. */
  readonly operations: readonly [Operation, ...Operation[]]
  readonly call: string
}

let bound = 0

/** By the file of a socket: to be connected to or sent to where one is, to be bound where none is. */
function onSocketFile(random: Random, folders: readonly string[]): Tried {
  const { streams, datagrams } = socketsIn(folders)
  const of = (kind: 'connect' | 'bind' | 'sendto', path: string) => ({ kind, protocol: 'unix', path }) as const
  const kind = pick(random, ['connect', 'bind', 'sendto'] as const)
  if (kind === 'bind') {
    const path = join(pick(random, folders.slice(0, 6)), `b${++bound}`)
    return { operations: [of(kind, path)], call: `bind stream ${path}` }
  }
  const path = pick(random, kind === 'connect' ? streams : datagrams)
  if (kind === 'connect') return { operations: [of(kind, path)], call: `connect stream ${path}` }
  return { operations: [of(kind, path), of('connect', path)], call: `sendto dgram ${path}` }
}

/** What is tried, and the call that tries it: the answer to a denied one is EACCES. */
function someOperation(random: Random, { folders, files }: ReturnType<typeof tree>): Tried {
  if (random(2) === 0) {
    const kind = pick(random, ['read', 'write', 'exec'] as const)
    const path = pick(random, files)
    // They hold no program: one that may be run is no good (ENOEXEC).
    const call = { read: `open ${path} r`, write: `open ${path} w`, exec: `exec ${path}` }[kind]
    return { operations: [{ kind, path }], call }
  }
  if (random(3) === 0) return onSocketFile(random, folders)
  if (random(6) === 0) {
    const kind = pick(random, ['connect', 'bind'] as const)
    const name = pick(random, abstracts)
    return { operations: [{ kind, protocol: 'unix', abstract: name }], call: `${kind} stream @${name}` }
  }
  const kind = pick(random, ['connect', 'bind', 'sendto'] as const)
  const protocol = kind === 'sendto' ? 'udp' : pick(random, ['tcp', 'udp'] as const)
  const address = pick(random, [...addresses, ...mapped])
  const port = kind === 'bind' ? pick(random, portNumbers) : pick(random, portNumbers.slice(1))
  return { operations: [{ kind, protocol, address, port }], call: `${kind} ${protocol} ${address} ${port}` }
}

export const properties: readonly Scenario[] = [
  {
    name: `${policies} generated policies: every operation is decided as explain says, by the same rule`,
    by: 'bpf-lsm',
    rules: [
      'fs.read',
      'fs.write',
      'fs.exec',
      'fs.deny',
      'net.connect',
      'net.bind',
      'net.sendto',
      'net.deny',
      'unix.connect',
      'unix.bind',
      'unix.sendto',
    ],
    async run(lab) {
      const random = randomNumbers(20_261)
      const all = tree(lab.folder('generated'), (path) => chmodSync(lab.file(path), 0o755))
      const { subject, sandbox, slot } = await lab.confined({})
      await using _ = subject
      await using outside = new Subject()
      const { streams, datagrams } = socketsIn(all.folders)
      for (const path of streams) assert.equal(await outside.call('main', `serve stream ${path}`), 'ok')
      for (const path of datagrams) assert.equal(await outside.call('main', `serve dgram ${path}`), 'ok')
      const slots = [slot, lab.slot()]
      const seen = { allowed: 0, denied: 0, byRule: 0 }
      const kinds = new Set<string>()
      for (let i = 1; i <= policies; i++) {
        const compiled = somePolicy(random, all)
        const next = slots[i % 2]!
        assert.deepEqual(lab.lsm.putPolicy(next, compileBpf(compiled)), [])
        lab.lsm.swap(sandbox, next)
        for (let k = 0; k < operations; k++) {
          const { operations: tried, call } = someOperation(random, all)
          const answers = tried.map((operation) => explain(compiled, operation))
          const said = answers.find(({ allowed }) => allowed) ?? answers[0]!
          const answer = await subject.call('main', call)
          const what = `policy ${i}: ${call} said ${answer}, explain ${JSON.stringify(said)}`
          assert.equal(answer === 'EACCES', !said.allowed, what)
          const events = lab.denials(sandbox)
          seen[said.allowed ? 'allowed' : 'denied']++
          kinds.add(`${call.slice(0, call.indexOf('/') >>> 0).trim()} ${said.allowed}`)
          // Of more than so many a second, some have no event.
          if (said.allowed) assert.deepEqual(events, [], what)
          else if (events.length > 0) {
            seen.byRule++
            assert.deepEqual([events.length, events[0]?.rule], [1, said.rule], what)
          }
        }
      }
      // Both answers were often given, and nobody else refuses these calls.
      assert.ok(seen.allowed > 100 && seen.denied > 100 && seen.byRule > 100, JSON.stringify(seen))
      for (const call of ['exec', 'connect stream', 'bind stream', 'sendto dgram'])
        for (const allowed of [true, false]) assert.ok(kinds.has(`${call} ${allowed}`), `${call} ${allowed}`)
      for (const file of all.files.slice(0, 3)) assert.equal(await outside.call('main', `open ${file} w`), 'ok')
    },
  },
]
