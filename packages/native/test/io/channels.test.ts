import { createHash, randomBytes } from 'node:crypto'
import { type ByteReader, type ByteStream, KeyPair, MAX_CHUNK, openChannel } from '@pyisolate/broker'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { createNativeAead, type Io, type IoStream } from '../../src/index.js'
import { addonPath } from '../support/fake.js'
import { backends, open } from './backends.js'

/** A channel's transport over a stream of an I/O thread. `writes` counts what the channel has given it. */
class SocketOfThread implements ByteStream {
  writes = 0
  #resume: (() => void) | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(readonly stream: IoStream) {}

  start(reader: ByteReader): void {
    void (async () => {
      try {
        for await (const bytes of this.stream) {
          for (let at = 0; at < bytes.length; at += MAX_CHUNK) {
            await this.#running
            reader.data(bytes.subarray(at, at + MAX_CHUNK))
          }
        }
        reader.end()
      } catch (error) {
        reader.fail(error as Error)
      }
    })()
  }

  write(bytes: Uint8Array, done: (error?: Error | null) => void): void {
    this.writes++
    this.stream.write(bytes).then(() => done(), done)
  }

  pause(): void {
    if (this.#resume !== undefined) return
    this.#running = new Promise((resume) => {
      this.#resume = resume
    })
  }

  resume(): void {
    this.#resume?.()
    this.#resume = undefined
  }

  end(): void {
    this.stream.end().catch(() => {})
  }

  destroy(): void {
    this.resume()
    void this.stream.close()
  }
}

async function channels(io: Io) {
  const listener = await io.listen({ path: `@pyisolate-${randomBytes(8).toString('hex')}` })
  const [near, far] = await Promise.all([io.connect({ path: listener.host }), listener.accept({ timeout: 5000 })])
  // The kernel takes next to nothing at once: a write of more than that is a short one.
  for (const stream of [near, far]) stream.setBuffers({ send: 1 })
  const [ours, theirs] = [new SocketOfThread(near), new SocketOfThread(far)]
  const aead = createNativeAead({ addon: addonPath })
  const [first, second] = [KeyPair.generate(), KeyPair.generate()]
  const opened = await Promise.all([
    openChannel(ours, { role: 'initiator', pattern: 'IK', keys: first, remoteKey: second.publicKey, aead }),
    openChannel(theirs, { role: 'responder', pattern: 'IK', keys: second, peer: { keys: [first.publicKey] }, aead }),
  ])
  return { ours, theirs, opened }
}

describe.each(backends)('a sealed channel on %s', (backend) => {
  let io: Io
  beforeEach(() => {
    io = open(backend)
  })
  afterEach(() => io.close())

  it('is whole where every write is short, both ways at once', async () => {
    const { ours, theirs, opened } = await channels(io)
    const lengths = [0, 1, 15, 16, 17, 4095, 4096, 65_514, 65_515, 200_000, 3, 131_072]
    const texts = opened.map(() => lengths.map((length) => randomBytes(length)))
    const before = io.stats().operations
    const got = await Promise.all(
      opened.map(async (channel, side) => {
        const sending = (async () => {
          for (const text of texts[side]!) await channel.send(text)
        })()
        const received: string[] = []
        for await (const text of channel.messages()) {
          received.push(createHash('sha256').update(text).digest('hex'))
          if (received.length === lengths.length) break
        }
        await sending
        return received
      }),
    )
    const digests = texts.map((all) => all.map((text) => createHash('sha256').update(text).digest('hex')))
    expect(got).toEqual([digests[1], digests[0]])
    // Beside each write's first call and each receive there were the calls for what it had left.
    expect(io.stats().operations - before).toBeGreaterThan(4 * (ours.writes + theirs.writes))
    await Promise.all(opened.map((channel) => channel.close()))
  })

  it('that is not read waits, with all that it was promised', async () => {
    const { opened } = await channels(io)
    const [sender, receiver] = opened
    const text = randomBytes(10_000)
    let sent = 0
    const sending = (async () => {
      for (; sent < 400; sent++) await sender!.send(text)
      await sender!.close()
    })()
    // Until it is read nothing moves, once everything on the way is full.
    let before = -1
    while (before !== sent || sent === 0) {
      before = sent
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(sent).toBeLessThan(400)
    let received = 0
    for await (const one of receiver!.messages()) {
      expect(Buffer.compare(one, text)).toBe(0)
      received++
    }
    await sending
    expect(received).toBe(400)
  })
})
