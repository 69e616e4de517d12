import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { type Engine, FrameType } from '@pyisolate/interface'
import { writeBack } from '@pyisolate/test-kit'
import { afterEach, describe, expect, it } from 'vitest'

import {
  alive,
  cellOptions,
  fakeNativeEngine,
  launch,
  type Sandbox,
  spawnFake,
  string,
  text,
  until,
} from './support/fake.js'

const engines: Engine[] = []
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()))
})

function fake(options: Parameters<typeof fakeNativeEngine>[0] = {}): Engine {
  const engine = fakeNativeEngine({ pool: 0, ...options })
  engines.push(engine)
  return engine
}

const exec = ({ cell }: Sandbox, what: string) => cell.send(FrameType.exec, 5, text(what))

/** The other end can do to its ring what it likes: what it gets is the end of its own sandbox. */
describe('a ring that somebody tampers with', () => {
  it.each([
    ['text', /not authentic/],
    ['tag', /not authentic/],
    ['length', /not authentic/],
    ['truncate', /not authentic/],
    ['replay', /not authentic/],
    ['swap', /not authentic/],
    ['drop', /not authentic/],
    ['reflect', /not authentic/],
    ['endless', /impossible length/],
    ['empty', /impossible length/],
    ['plain', /impossible length|not authentic/],
    ['stub', /too short for a frame/],
    ['trail', /goes on behind its frame/],
  ])('%s: ends that sandbox, and delivers nothing', async (how, why) => {
    const engine = fake()
    const [hostile, other] = await Promise.all([spawnFake(engine), spawnFake(engine, { name: 'other' })])
    exec(hostile, `tamper-${how}`)
    expect(await hostile.exit).toMatchObject({ killedBy: 'protocol' })
    expect(hostile.corrupt).toEqual([expect.stringMatching(why)])
    // What came before it is authentic; what it was made of never arrives.
    const posted = hostile.frames.filter(({ type }) => type === FrameType.post)
    expect(posted.map(({ id }) => id)).toEqual(how === 'replay' || how === 'trail' ? [7] : [])
    other.cell.send(FrameType.message, 9, text('still here'))
    expect(string((await other.next(({ id }) => id === 9)).payload)).toBe('still here')
  })

  it('none: what the same hand writes in order arrives', async () => {
    const sandbox = await spawnFake(fake())
    exec(sandbox, 'tamper-none')
    await sandbox.next(({ type, id }) => type === FrameType.result && id === 5)
    expect(sandbox.frames.filter(({ type }) => type === FrameType.post).map(({ id }) => id)).toEqual([7, 8])
    expect(sandbox.corrupt).toEqual([])
  })
})

describe('a handshake', () => {
  it.each([
    ['forged', /answer to the hello/],
    ['zero', /answer to the hello/],
    ['elsewhere', /answer to the hello/],
    ['plain', /answer to the hello/],
  ])('%s: is no sandbox', async (how, why) => {
    const { zygote, gone } = await launch(`hello-${how}`)
    const seen: string[] = []
    const cell = zygote.fork(
      cellOptions({ onCorrupt: (detail) => seen.push(detail), onFrame: () => seen.push('a frame') }),
    )
    await until('the handshake failed', () => seen.length > 0)
    expect(seen).toEqual([expect.stringMatching(why)])
    cell.close()
    zygote.close()
    await gone
  })

  it('that does not come leaves what is sent in this process, and costs no more than that', async () => {
    const { zygote, gone } = await launch('hello-silent')
    let pid = 0
    const cell = zygote.fork(cellOptions({ onForked: (forked) => (pid = forked) }))
    const secret = Buffer.from('a value that is for nobody but a sandbox')
    expect(cell.send(FrameType.message, 1, secret)).toBe(true)
    expect(cell.send(FrameType.message, 1, Buffer.alloc(100_000))).toBe(false)
    await until('it was forked', () => pid > 0)
    expect(segments().some(({ bytes }) => bytes.includes(secret))).toBe(false)
    cell.close()
    zygote.close()
    await gone
    await until('it is gone', () => !alive(pid))
  })
})

interface Segment {
  readonly from: number
  readonly bytes: Buffer
}

/** The memory segments of this process's sandboxes, as whoever maps one sees it. */
function segments(): Segment[] {
  const memory = openSync('/proc/self/mem', 'r')
  try {
    return readFileSync('/proc/self/maps', 'utf8')
      .split('\n')
      .filter((line) => line.includes('/memfd:pyisolate'))
      .map((line) => {
        const [from, to] = line
          .split(' ')[0]!
          .split('-')
          .map((end) => Number.parseInt(end, 16)) as [number, number]
        const bytes = Buffer.alloc(to - from)
        readSync(memory, bytes, 0, bytes.length, from)
        return { from, bytes }
      })
  } finally {
    closeSync(memory)
  }
}

function flip(address: number): void {
  const memory = openSync('/proc/self/mem', 'r+')
  const byte = new Uint8Array(1)
  readSync(memory, byte, 0, 1, address)
  byte[0]! ^= 1
  writeSync(memory, byte, 0, 1, address)
  closeSync(memory)
}

describe('whoever maps the segment of a sandbox', () => {
  const secret = 'a secret that crosses the ring'
  const RINGS = 4096

  async function talk(sealed: boolean): Promise<Sandbox> {
    const sandbox = await spawnFake(fake({ sealed }))
    sandbox.cell.send(FrameType.message, 9, text(secret))
    await sandbox.next(({ id }) => id === 9)
    return sandbox
  }

  it('reads what crosses it where nothing is sealed, and nothing by default', async () => {
    await talk(false)
    expect(segments().some(({ bytes }) => bytes.includes(secret))).toBe(true)
    await engines.pop()!.close()
    await talk(true)
    expect(segments()).toHaveLength(1)
    expect(segments().some(({ bytes }) => bytes.includes(secret))).toBe(false)
  })

  it('never sees the same bytes twice, whatever is sent', async () => {
    const one = await spawnFake(fake())
    const seen = new Set<string>()
    for (let at = 0; at < 50; at++) {
      const ring = segments()[0]!.bytes.subarray(RINGS, RINGS + 65536)
      const from = Number(segments()[0]!.bytes.readBigUInt64LE(64))
      one.cell.send(FrameType.message, 100 + at, text(secret))
      await one.next(({ id }) => id === 100 + at)
      const after = segments()[0]!.bytes.subarray(RINGS, RINGS + 65536)
      expect(after.equals(ring)).toBe(false)
      seen.add(after.subarray(from + 4, from + 4 + 46).toString('hex'))
    }
    expect(seen.size).toBe(50)
  })

  it('and has it count further than its end has ends the sandbox, and nothing more is sealed', async () => {
    // As for a supervisor whose own memory was brought back to an earlier time (segment.h: sealed_to_cell).
    const sandbox = await talk(true)
    const { from, bytes } = segments()[0]!
    const SEALED = 512
    const count = bytes.readBigUInt64LE(SEALED)
    expect(count).toBeGreaterThan(0n)
    const ring = bytes.subarray(RINGS, RINGS + 65536)
    writeBack('self', [{ from: from + SEALED, bytes: Buffer.from(BigUint64Array.of(count + 1n).buffer) }])
    sandbox.cell.send(FrameType.message, 10, text('once more'))
    expect(
      segments()[0]!
        .bytes.subarray(RINGS, RINGS + 65536)
        .equals(ring),
    ).toBe(true)
    expect(await sandbox.exit).toMatchObject({ killedBy: 'protocol' })
    expect(sandbox.corrupt).toEqual(['the memory of a key was brought back to an earlier time'])
  })

  it('changes what the supervisor is told where nothing is sealed, and ends the sandbox by default', async () => {
    for (const sealed of [false, true]) {
      const sandbox = await spawnFake(fake({ sealed }))
      const before = segments()[0]!
      // Positions of the ring to the host (segment.h): written by the cell, read by us.
      const written = () => Number(segments()[0]!.bytes.readBigUInt64LE(64 + 192))
      const from = written()
      sandbox.cell.send(FrameType.message, 9, text('0123456789'))
      // The loop must not run meanwhile: it would have read the answer.
      while (written() === from) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
      const last = before.from + RINGS + 65536 + written() - (sealed ? 17 : 1)
      flip(last)
      if (!sealed) {
        expect(string((await sandbox.next(({ id }) => id === 9)).payload)).toBe('0123456788')
      } else {
        expect(await sandbox.exit).toMatchObject({ killedBy: 'protocol' })
        expect(sandbox.frames.some(({ id }) => id === 9)).toBe(false)
      }
      await engines.pop()!.close()
    }
  })
})
