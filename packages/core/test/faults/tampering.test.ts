import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSupervisor, type Sandbox, type Supervisor } from '../../src/index.js'

/** Somebody else maps a sandbox's segment and writes to it: here we, through our own memory. */
let supervisor: Supervisor
beforeEach(() => {
  supervisor = createSupervisor({ pool: { size: 0 } })
})
afterEach(() => supervisor.close())

// As segment.h has it: two positions written by the producers, and the rings behind the first page.
const WRITTEN = { toCell: 64, toHost: 256 }
const RING = 65_536
const DATA = { toCell: 4096, toHost: 4096 + RING }
type Direction = keyof typeof WRITTEN

function withMemory<T>(use: (memory: number) => T): T {
  const memory = openSync('/proc/self/mem', 'r+')
  try {
    return use(memory)
  } finally {
    closeSync(memory)
  }
}

const segments = () =>
  readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes('/memfd:pyisolate'))
    .map((line) => Number.parseInt(line.split('-')[0]!, 16))

function read(at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  withMemory((memory) => readSync(memory, bytes, 0, length, at))
  return bytes
}
const write = (at: number, bytes: Uint8Array) => withMemory((memory) => writeSync(memory, bytes, 0, bytes.length, at))
const written = (segment: number, way: Direction) => Number(read(segment + WRITTEN[way], 8).readBigUInt64LE())

/** Without a turn of the event loop, which would take what comes. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

const attacks: Record<string, (record: Buffer, before: Buffer) => Uint8Array> = {
  'a flipped bit': (record) => record.fill(record[9]! ^ 1, 9, 10),
  'the record before once more': (record, before) => Buffer.concat([before, record]).subarray(0, record.length),
  'a shorter length': (record) => record.fill(record[0]! - 1, 0, 1),
}

async function sandboxAlone(): Promise<{ sandbox: Sandbox; segment: number }> {
  const before = new Set(segments())
  const sandbox = await supervisor.spawn('victim')
  // The same texts each time: records of one length, and one sealed answer that is known.
  await sandbox.exec('')
  const segment = segments().find((one) => !before.has(one))!
  return { sandbox, segment }
}

describe.each(Object.keys(attacks))('%s', (name) => {
  it('on the way to the sandbox ends that sandbox, and no other', async () => {
    const other = await supervisor.spawn('other')
    const { sandbox, segment } = await sandboxAlone()
    const last = written(segment, 'toCell')
    await sandbox.exec('x = 1')
    const at = written(segment, 'toCell')
    const earlier = read(segment + DATA.toCell + last, at - last)
    process.kill(sandbox.pid, 'SIGSTOP')
    const running = sandbox.exec('x = 2').then(
      () => 'it ran',
      (error) => error.code,
    )
    while (written(segment, 'toCell') === at) await new Promise((resolve) => setImmediate(resolve))
    const record = read(segment + DATA.toCell + at, written(segment, 'toCell') - at)
    write(segment + DATA.toCell + at, attacks[name]!(record, earlier))
    process.kill(sandbox.pid, 'SIGCONT')
    expect(await running).toBe('ERR_PYISOLATE_SANDBOX_CLOSED')
    expect(await sandbox.closed).toMatchObject({ kind: 'protocol', detail: expect.stringMatching(/not authentic/) })
    expect(await other.eval('1 + 1')).toBe(2)
  })

  it('on the way to the supervisor ends that sandbox, and is never taken for its word', async () => {
    const other = await supervisor.spawn('other')
    const { sandbox, segment } = await sandboxAlone()
    const last = written(segment, 'toHost')
    await sandbox.eval('1')
    const at = written(segment, 'toHost')
    const earlier = read(segment + DATA.toHost + last, at - last)
    const running = sandbox.eval('2').then(
      (value) => value,
      (error) => error.code,
    )
    await Promise.resolve()
    while (written(segment, 'toHost') === at) pause(1)
    pause(5)
    const record = read(segment + DATA.toHost + at, written(segment, 'toHost') - at)
    write(segment + DATA.toHost + at, attacks[name]!(record, earlier))
    expect(await running).toBe('ERR_PYISOLATE_SANDBOX_CLOSED')
    expect(await sandbox.closed).toMatchObject({ kind: 'protocol', detail: expect.stringMatching(/not authentic/) })
    expect(await other.eval('1 + 1')).toBe(2)
  })
})
