import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSupervisor, type Sandbox, type Supervisor } from '../../src/index.js'
import { attemptConfined } from './support/attempt.js'

const native = dirname(createRequire(import.meta.url).resolve('@pyisolate/native/package.json'))
const header = readFileSync(join(native, 'shared', 'segment.h'), 'utf8')
const magic = Number(/kSegmentMagic = (0x[0-9a-fA-F]+)/.exec(header)![1])
const typeOf = (name: string): number => Number(new RegExp(`\\b${name} = (\\d+)`).exec(header)![1])

/** A frame as shared/segment.h lays it out; `length` may lie. */
function frame(type: number, payload: string, { id = 0, length = payload.length / 2, reserved = 0 } = {}): string {
  const head = Buffer.alloc(16)
  head.writeUInt32LE(length, 0)
  head.writeUInt8(type, 4)
  head.writeUInt8(reserved, 5)
  head.writeBigUInt64LE(BigInt(id), 8)
  return head.toString('hex') + payload
}

const [post, result, error, out, hostCall, exit, ready, exec] = (
  ['post', 'result', 'error', 'out', 'host_call', 'exit', 'ready', 'exec'] as const
).map(typeOf) as [number, number, number, number, number, number, number, number]
const text = (value: string): string => Buffer.from(value).toString('hex')

interface Lie {
  readonly title: string
  readonly frames?: string
  readonly times?: number
  readonly skipWritten?: number
  readonly skipRead?: number
}

/** What breaks the protocol: its sandbox ends as `protocol`. */
const lies: readonly Lie[] = [
  { title: 'a position far ahead', skipWritten: 2 ** 40 },
  { title: 'a position just too far', skipWritten: 65_537 },
  { title: 'a position that goes back', skipWritten: -1 },
  { title: 'an unknown type', frames: frame(200, '') },
  { title: 'type zero', frames: frame(0, '') },
  { title: "a type of the supervisor's", frames: frame(exec, 'a0') },
  { title: 'the greatest length there is', frames: frame(post, '', { length: 0xffff_ffff }) },
  { title: 'a length over the limit', frames: frame(post, '', { length: 128 << 20 }) },
  { title: 'rubbish', frames: 'ff'.repeat(64) },
  { title: 'reserved bytes in use', frames: frame(post, 'f6', { reserved: 1 }) },
  { title: 'an empty message', frames: frame(post, '') },
  { title: 'a message that is no CBOR', frames: frame(post, 'ff') },
  { title: 'a message cut short', frames: frame(post, '826161') },
  { title: 'two values in one message', frames: frame(post, '0102') },
  { title: 'a message too deep', frames: frame(post, `${'81'.repeat(10_000)}00`) },
  { title: 'a message with too many items', frames: frame(post, '9b00000000ffffffff') },
  { title: 'a text with a length of exabytes', frames: frame(post, '7b0fffffffffffffff') },
  { title: 'a text that is no UTF-8', frames: frame(post, '62c328') },
  { title: 'a key twice', frames: frame(post, 'a2616101616102') },
  { title: 'an unknown tag', frames: frame(post, 'd9ffff00') },
  { title: 'an indefinite length', frames: frame(post, '9fff') },
  { title: 'an answer to nothing', frames: frame(result, 'f6', { id: 987_654 }) },
  { title: 'an answer to no number', frames: frame(result, 'f6', { id: 2 ** 53 }) },
  { title: 'an error that is none', frames: frame(error, '01', { id: 987_654 }) },
  { title: 'a call of nothing', frames: frame(hostCall, 'a0', { id: 1 }) },
  {
    title: 'a call with a list for a name',
    frames: frame(hostCall, `a3${text('dname').slice(0, 2)}6e616d6580`, { id: 1 }),
  },
  { title: 'an exit of an unknown kind', frames: frame(exit, `a1646b696e6464${text('none')}`) },
  { title: 'a second ready', frames: frame(ready, `a16b${text('enforcement')}80`) },
]

/** What an engine might do as well: odd, but no lie. Nothing may come of it. */
const oddities: readonly Lie[] = [
  { title: 'ten thousand empty outputs', frames: frame(out, ''), times: 1000 },
  { title: 'output that is no UTF-8', frames: frame(out, 'ff'.repeat(64)) },
  { title: 'a frame that never ends', frames: frame(post, '', { length: 1000 }) },
  { title: "the supervisor's position moved", skipRead: 1 << 30 },
]

let supervisor: Supervisor
let bystander: Sandbox
beforeAll(async () => {
  supervisor = createSupervisor()
  bystander = await supervisor.spawn('bystander')
})
afterAll(() => supervisor?.close())

async function tell(
  { title, frames = '', times = 1, skipWritten = 0, skipRead = 0 }: Lie,
  isolation: 'process' | 'interpreter',
) {
  const cell = isolation === 'interpreter' ? { cell: `cell of ${title}` } : {}
  const sandbox = await supervisor.spawn(title, { isolation, ...cell, functions: { f: () => 1 } })
  const before = process.memoryUsage().rss
  const arena = { proof: '', syscalls: {}, magic, frames, times, skip_written: skipWritten, skip_read: skipRead }
  const reading = sandbox
    .messages()
    .next()
    .catch(() => {}) // some lies are found out only now
  const attempt = await attemptConfined(sandbox, 'frames', arena).catch((reason: Error) => ({
    report: undefined,
    end: `rejected: ${reason}`,
  }))
  const grown = process.memoryUsage().rss - before
  const outcome = await sandbox.close()
  await reading
  expect(await bystander.eval('6 * 7')).toBe(42)
  // Nothing is allocated because a guest says so.
  expect(grown).toBeLessThan(48 << 20)
  return { ...attempt, outcome }
}

describe.each(['process', 'interpreter'] as const)('in %s isolation', (isolation) => {
  it.each(lies)('$title ends the sandbox, as a breach of the protocol', async (lie) => {
    const { report, outcome } = await tell(lie, isolation)
    expect(report).toBeUndefined()
    expect(outcome).toMatchObject({ kind: 'protocol', detail: expect.stringMatching(/./) })
  })

  it.each(oddities)('$title harms nobody', async (oddity) => {
    const { report, end, outcome } = await tell(oddity, isolation)
    // Its own engine may not like what it finds afterwards.
    expect(report?.detail ?? end).toMatch(/nobody minded|^protocol|^exit|^cell/)
    expect(outcome.kind).toMatch(/^(protocol|closed|exit|cell)$/)
  })
})
