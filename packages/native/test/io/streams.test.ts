import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { Io, IoStream } from '../../src/index.js'
import { backends, localhost, open, pair, readAll } from './backends.js'

const MiB = 1 << 20

describe.each(backends)('streams on %s', (backend) => {
  let io: Io
  beforeEach(() => {
    io = open(backend)
  })
  afterEach(() => io.close())

  it('is what was asked for', () => {
    expect(io.backend).toBe(backend)
    expect(io.refusal).toBeUndefined()
  })

  it('carries bytes both ways, to the end of each', async () => {
    const { near, far } = await pair(io)
    const up = randomBytes(3 * MiB)
    const down = randomBytes(2 * MiB)
    const sent = Promise.all([near.write(up).then(() => near.end()), far.write(down).then(() => far.end())])
    const [gotDown, gotUp] = await Promise.all([readAll(near), readAll(far)])
    await sent
    expect(gotUp.equals(up)).toBe(true)
    expect(gotDown.equals(down)).toBe(true)
    expect(near.bytesOut).toBe(up.length)
    expect(near.bytesIn).toBe(down.length)
  })

  it('takes what it is given at once: bytes that change later are not sent', async () => {
    const { near, far } = await pair(io)
    const bytes = Buffer.from('before')
    const written = near.write(bytes)
    await Promise.resolve()
    bytes.write('after!')
    await written
    expect(Buffer.from((await far.read())!).toString()).toBe('before')
  })

  it('writes all of it into buffers that take next to nothing', async () => {
    const { near, far } = await pair(io)
    near.setBuffers({ send: 1024 })
    await delay(20)
    const sent = randomBytes(MiB)
    const before = io.stats().operations
    const written = near.write(sent).then(() => near.end())
    const got = await readAll(far)
    await written
    expect(createHash('sha256').update(got).digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'))
    // Each piece of 128 KiB took several calls: they were short.
    expect(io.stats().operations - before).toBeGreaterThan(3 * 8)
  })

  it('lets a slow reader slow its own writer, and nobody else', async () => {
    const slow = await pair(io)
    const quick = await pair(io)
    let written = 0
    const stuck = (async () => {
      for (;;) {
        await slow.near.write(new Uint8Array(64 * 1024))
        written += 64 * 1024
      }
    })()
    stuck.catch(() => {})
    await delay(300)
    const atRest = written
    await delay(200)
    expect(written).toBe(atRest)
    // What is on its way: two kernel buffers and the window.
    expect(atRest).toBeLessThan(16 * MiB)
    const echo = quick.far.write(new Uint8Array(2 * MiB)).then(() => quick.far.end())
    expect((await readAll(quick.near)).length).toBe(2 * MiB)
    await echo
    // It goes on as soon as somebody reads.
    let read = 0
    while (read < atRest) read += (await slow.far.read({ timeout: 5000 }))!.length
    await delay(50)
    expect(written).toBeGreaterThan(atRest)
    await slow.near.close()
    await expect(stuck).rejects.toMatchObject({ code: 'ERR_PYISOLATE_IO_CLOSED' })
  })

  it('gives a write up at its deadline, and at an abort', async () => {
    const { near } = await pair(io)
    const flood = () => near.write(new Uint8Array(32 * MiB), { timeout: 100 })
    const start = performance.now()
    await expect(flood()).rejects.toMatchObject({ code: 'ERR_PYISOLATE_IO_TIMEOUT', operation: 'send', ms: 100 })
    expect(performance.now() - start).toBeLessThan(2000)
    const giveUp = new AbortController()
    const aborted = near.write(new Uint8Array(MiB), { signal: giveUp.signal })
    await delay(50)
    giveUp.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
  })

  it('gives a read up without losing what comes later', async () => {
    const { near, far } = await pair(io)
    await expect(near.read({ timeout: 30 })).rejects.toMatchObject({ code: 'ERR_PYISOLATE_IO_TIMEOUT' })
    const giveUp = new AbortController()
    const aborted = near.read({ signal: giveUp.signal })
    giveUp.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    await far.write(Buffer.from('late'))
    expect(Buffer.from((await near.read())!).toString()).toBe('late')
  })

  it('gives a connection up that nobody answers', async () => {
    // A Unix socket whose queue is full makes its next peer wait; nobody accepts.
    const folder = mkdtempSync(join(tmpdir(), 'pyisolate-io-'))
    try {
      const path = join(folder, 's')
      const listener = await io.listen({ path }, { backlog: 1, window: 1 })
      const streams: IoStream[] = []
      const crowd = async () => {
        for (;;) streams.push(await io.connect({ path }, { timeout: 200 }))
      }
      await expect(crowd()).rejects.toMatchObject({ code: 'ERR_PYISOLATE_IO_TIMEOUT', operation: 'connect' })
      const giveUp = new AbortController()
      const aborted = io.connect({ path }, { signal: giveUp.signal })
      await delay(30)
      giveUp.abort(new Error('enough'))
      await expect(aborted).rejects.toThrow('enough')
      await listener.close()
      for (const stream of streams) await stream.close()
      expect(io.stats().open).toBe(0)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('says how a connection failed', async () => {
    const listener = await io.listen(localhost)
    const { port } = listener
    await listener.close()
    await expect(io.connect({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'ERR_PYISOLATE_IO',
      errno: 'ECONNREFUSED',
      operation: 'connect',
    })
    await expect(io.connect({ path: '/nowhere/at/all' })).rejects.toMatchObject({ errno: 'ENOENT' })
    expect(io.stats().open).toBe(0)
  })

  it('tells a connection that broke from one that ended', async () => {
    const { near, far } = await pair(io)
    // More than the window: the kernel is left with bytes that nobody has read, and resets the connection.
    const flood = near.write(new Uint8Array(32 * MiB), { timeout: 100 })
    await expect(flood).rejects.toMatchObject({ code: 'ERR_PYISOLATE_IO_TIMEOUT' })
    await far.close()
    await expect(
      (async () => {
        for (;;) if ((await near.read({ timeout: 2000 })) === undefined) return 'ended'
      })(),
    ).rejects.toMatchObject({ code: 'ERR_PYISOLATE_IO', errno: 'ECONNRESET' })
  })

  it('ends what is under way when it is closed', async () => {
    const { near, listener } = await pair(io)
    const reading = near.read()
    const accepting = listener.accept()
    const flood = near.write(new Uint8Array(32 * MiB))
    const closed = { code: 'ERR_PYISOLATE_IO_CLOSED' }
    const all = [reading, accepting, flood].map((one) => expect(one).rejects.toMatchObject(closed))
    await delay(50)
    await io.close()
    await Promise.all(all)
    await expect(io.connect(localhost)).rejects.toMatchObject(closed)
    await expect(near.write(new Uint8Array(1))).rejects.toMatchObject(closed)
  })

  it('serves a thousand at once, in order and with nothing lost', async () => {
    const listener = await io.listen(localhost, { window: 1000 })
    const serving = (async () => {
      for await (const stream of listener) {
        void (async () => {
          for await (const bytes of stream) await stream.write(bytes)
          await stream.close()
        })()
      }
    })()
    const rounds = 5
    await Promise.all(
      Array.from({ length: 1000 }, async (_, n) => {
        const stream = await io.connect({ host: '127.0.0.1', port: listener.port }, { timeout: 20_000 })
        for (let round = 0; round < rounds; ++round) {
          const sent = Buffer.alloc(1000, `${n}.${round};`)
          await stream.write(sent)
          const got: Uint8Array[] = []
          for (let size = 0; size < sent.length; size += got.at(-1)!.length)
            got.push((await stream.read({ timeout: 20_000 }))!)
          if (!Buffer.concat(got).equals(sent)) throw new Error(`${n} got another's bytes in round ${round}`)
        }
        await stream.close()
      }),
    )
    await listener.close()
    await serving
  }, 60_000)

  it('holds connections back that nobody takes, and takes them later', async () => {
    const listener = await io.listen(localhost, { window: 4 })
    const peers = await Promise.all(
      Array.from({ length: 32 }, () => io.connect({ host: '127.0.0.1', port: listener.port }, { timeout: 5000 })),
    )
    for (const peer of peers) await peer.write(Buffer.from('hello'))
    for (let n = 0; n < peers.length; ++n) {
      const stream = await listener.accept({ timeout: 5000 })
      expect(Buffer.from((await stream.read({ timeout: 5000 }))!).toString()).toBe('hello')
    }
    await expect(listener.accept({ timeout: 50 })).rejects.toMatchObject({ code: 'ERR_PYISOLATE_IO_TIMEOUT' })
  })
})
