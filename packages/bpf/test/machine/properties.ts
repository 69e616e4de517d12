import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
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

function somePolicy(random: Random, { folders, files }: ReturnType<typeof tree>): CompiledPolicy {
  const list = (most: number, make: () => string) =>
    JSON.stringify(Array.from({ length: random(most + 1) }, () => make()))
  const path = () => (random(2) === 0 ? pick(random, files) : `${pick(random, folders)}${pick(random, ['', '/**'])}`)
  const target = () =>
    random(5) === 0
      ? `unix://@${pick(random, abstracts)}`
      : `${pick(random, ['tcp', 'udp'])}://${pick(random, networks)}:${pick(random, portWords)}`
  for (;;)
    try {
      return compilePolicy(
        `version: 1
fs: { read: ${list(9, path)}, write: ${list(9, path)}, exec: ${list(4, path)}, deny: ${list(2, path)} }
net: { connect: ${list(9, target)}, bind: ${list(9, target)}, sendto: ${list(9, target)}, deny: ${list(1, target)} }`,
      )
    } catch (error) {
      // Rules that contradict each other.
      if (!PolicyError.isInstance(error)) throw error
    }
}

/** An operation, and the call that tries it: the answer to a denied one is EACCES. */
function someOperation(random: Random, files: readonly string[]): { operation: Operation; call: string } {
  if (random(2) === 0) {
    const kind = pick(random, ['read', 'write'] as const)
    const path = pick(random, files)
    return { operation: { kind, path }, call: `open ${path} ${kind === 'read' ? 'r' : 'w'}` }
  }
  if (random(6) === 0) {
    const kind = pick(random, ['connect', 'bind'] as const)
    const name = pick(random, abstracts)
    return { operation: { kind, protocol: 'unix', abstract: name }, call: `${kind} stream @${name}` }
  }
  const kind = pick(random, ['connect', 'bind', 'sendto'] as const)
  const protocol = kind === 'sendto' ? 'udp' : pick(random, ['tcp', 'udp'] as const)
  const address = pick(random, [...addresses, ...mapped])
  const port = kind === 'bind' ? pick(random, portNumbers) : pick(random, portNumbers.slice(1))
  return { operation: { kind, protocol, address, port }, call: `${kind} ${protocol} ${address} ${port}` }
}

export const properties: readonly Scenario[] = [
  {
    name: `${policies} generated policies: every operation is decided as explain says, by the same rule`,
    by: 'bpf-lsm',
    rules: ['fs.read', 'fs.write', 'fs.deny', 'net.connect', 'net.bind', 'net.sendto', 'net.deny', 'unix.connect'],
    async run(lab) {
      const random = randomNumbers(20_261)
      const all = tree(lab.folder('generated'), (path) => lab.file(path))
      const { subject, sandbox, slot } = await lab.confined({})
      await using _ = subject
      await using outside = new Subject()
      const slots = [slot, lab.slot()]
      const seen = { allowed: 0, denied: 0, byRule: 0 }
      for (let i = 1; i <= policies; i++) {
        const compiled = somePolicy(random, all)
        const next = slots[i % 2]!
        assert.deepEqual(lab.lsm.putPolicy(next, compileBpf(compiled)), [])
        lab.lsm.swap(sandbox, next)
        for (let k = 0; k < operations; k++) {
          const { operation, call } = someOperation(random, all.files)
          const said = explain(compiled, operation)
          const answer = await subject.call('main', call)
          const what = `policy ${i}: ${call} said ${answer}, explain ${JSON.stringify(said)}`
          assert.equal(answer === 'EACCES', !said.allowed, what)
          const events = lab.denials(sandbox)
          seen[said.allowed ? 'allowed' : 'denied']++
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
      for (const file of all.files.slice(0, 3)) assert.equal(await outside.call('main', `open ${file} w`), 'ok')
    },
  },
]
