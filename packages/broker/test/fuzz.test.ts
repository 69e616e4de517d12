import { describe, expect, it } from 'vitest'
import { ChannelError, HandshakeError, IdentityError, IdentitySigner, nobleAead, verifyIdentity } from '../src/index.js'
import { FrameBuffer } from '../src/internal/channel/frame-buffer.js'
import { Inbox } from '../src/internal/channel/inbox.js'
import { settleSeal } from '../src/internal/channel/settle-options.js'
import { CipherState } from '../src/internal/noise/cipher-state.js'
import { PATTERNS, pairOf } from './support/handshakes.js'
import { FUZZ_MS, fuzz, randomBytesOf } from './support/random.js'

type Random = (below: number) => number
const TIMEOUT = FUZZ_MS + 20_000
const key = new Uint8Array(32).fill(7)
const LIMITS = { receiveMessages: 5, maxMessageBytes: 90_000, receiveBytes: 192 * 1024 }

/** An inbox on its own, and what came of it. */
function inboxOf(random: Random) {
  const ends: (ChannelError | 'closed' | 'ended')[] = []
  let paused = false
  const inbox = new Inbox(new CipherState(nobleAead, key), settleSeal({ limits: LIMITS }, 1), false, {
    onMessage: () => {},
    onControl: (kind) => {
      ends.push('closed')
      expect(kind).toBe(2)
      inbox.stop()
    },
    onFail: (error) => {
      ends.push(error)
      inbox.stop()
    },
    onEnd: () => {
      ends.push('ended')
      inbox.stop()
    },
    pause: () => {
      paused = true
    },
    resume: () => {
      paused = false
    },
  })
  const messages: Uint8Array[] = []
  const take = () => {
    for (let message = inbox.take(); message !== undefined; message = inbox.take()) messages.push(message.slice())
  }
  /** Gives it bytes in chunks of any size, and takes messages now and then; as a transport, not while it is paused. */
  const feed = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; ) {
      while (paused && ends.length === 0) take()
      const chunk = bytes.subarray(at, at + 1 + random(random(4) === 0 ? 65_536 : 50))
      inbox.data(chunk)
      at += chunk.length
      if (random(3) === 0) take()
    }
    take()
    inbox.end()
    take()
  }
  return { feed, messages, ends }
}

/** Bodies that are sealed with the right key: `bodies` as they are, with two bytes of length before them. */
function sealRaw(bodies: readonly Uint8Array[]): Uint8Array {
  const cipher = new CipherState(nobleAead, key)
  return Buffer.concat(
    bodies.flatMap((body) => {
      const sealed = cipher.encrypt(new Uint8Array(), body)
      return [Uint8Array.of(sealed.length >>> 8, sealed.length & 0xff), sealed]
    }),
  )
}

function honest(random: Random) {
  const cipher = new CipherState(nobleAead, key)
  const wire: Uint8Array[] = []
  const sent: Uint8Array[] = []
  for (let batch = 1 + random(4); batch > 0; batch--) {
    const buffer = new FrameBuffer(256 * 1024)
    for (let count = 1 + random(5); count > 0; count--) {
      const message = randomBytesOf(random, random(random(9) === 0 ? 3000 : 60))
      const padded = message.length + random(20)
      expect(buffer.hasRoom(padded)).toBe(true)
      buffer.add(0, message, 0, message.length, padded)
      sent.push(message)
    }
    const rekey = random(3) === 0
    wire.push(buffer.seal(cipher, rekey).slice())
    if (rekey) cipher.rekey()
  }
  return { bytes: Uint8Array.from(Buffer.concat(wire)), sent }
}

describe('the frame parser', () => {
  it(
    'gives what an honest peer sent, however it is cut',
    async () => {
      const rounds = await fuzz((random) => {
        const { bytes, sent } = honest(random)
        const { feed, messages, ends } = inboxOf(random)
        feed(bytes)
        expect(messages).toEqual(sent)
        expect(ends).toEqual(['ended'])
      })
      expect(rounds).toBeGreaterThan(10)
    },
    TIMEOUT,
  )

  it(
    'gives nothing else of what somebody has tampered with',
    async () => {
      await fuzz((random) => {
        const { bytes, sent } = honest(random)
        const { feed, messages, ends } = inboxOf(random)
        const tampered = mutate(bytes, random)
        feed(tampered)
        expect(messages).toEqual(sent.slice(0, messages.length))
        expect(ends).toHaveLength(1)
        expect(ends[0] === 'ended' || ChannelError.isInstance(ends[0])).toBe(true)
        if (messages.length === sent.length && Buffer.compare(tampered, bytes) !== 0) {
          // All of it came: then what differs is behind, and is cut off, a marker, or a frame that fails.
          expect(Buffer.compare(tampered.subarray(0, bytes.length - 2), bytes.subarray(0, bytes.length - 2))).toBe(0)
        }
      })
    },
    TIMEOUT,
  )

  it(
    'survives random bytes',
    async () => {
      await fuzz((random) => {
        const { feed, messages, ends } = inboxOf(random)
        feed(randomBytesOf(random, random(2000)))
        expect(messages).toEqual([])
        expect(ends).toHaveLength(1)
      })
    },
    TIMEOUT,
  )

  it(
    'survives a peer that has the keys and keeps no rule',
    async () => {
      await fuzz((random) => {
        const bodies = Array.from({ length: 1 + random(12) }, () => {
          const body = randomBytesOf(random, random(8) === 0 ? random(65_000) : random(100))
          if (body.length > 3 && random(4) > 0) {
            body[0] = random(5)
            const payload = random(3) === 0 ? random(65_536) : body.length - 3 - random(2)
            body[1] = payload >>> 8
            body[2] = payload & 0xff
            if (random(2) === 0) body.fill(0, 3 + payload)
          }
          return body
        })
        const { feed, messages, ends } = inboxOf(random)
        feed(sealRaw(bodies))
        expect(ends).toHaveLength(1)
        for (const { length } of messages) expect(length).toBeLessThanOrEqual(LIMITS.maxMessageBytes)
        if (ends[0] instanceof ChannelError) expect(ends[0].problem).toBeOneOf(['malformed', 'oversized'])
      })
    },
    TIMEOUT,
  )
})

describe('the handshake parser', () => {
  it(
    'refuses whatever was tampered with, and nothing but refuses',
    async () => {
      await fuzz((random) => {
        const [initiator, responder] = pairOf(PATTERNS[random(4)]!, { pq: random(4) === 0 })
        const target = random(2)
        const first = initiator.writeMessage(randomBytesOf(random, random(40)))
        try {
          const tampered = target === 0 ? mutate(first, random) : first
          responder.readMessage(tampered)
          const second = responder.writeMessage()
          initiator.readMessage(target === 1 ? mutate(second, random) : second)
          if (initiator.turn === 'write') responder.readMessage(initiator.writeMessage())
          // Only what is as it was gets this far.
          const text = initiator.session().send.encrypt(new Uint8Array(), key)
          if (Buffer.compare(tampered, first) !== 0) {
            expect(responder.session().receive.decrypt(new Uint8Array(), text)).toBeUndefined()
          }
        } catch (error) {
          expect(error).toBeInstanceOf(HandshakeError)
        }
      })
    },
    TIMEOUT,
  )
})

describe('the reader of identity documents', () => {
  it(
    'refuses whatever was tampered with, and nothing but refuses',
    async () => {
      const signer = IdentitySigner.generate()
      const document = signer.sign({ name: 'somebody', key, notAfter: new Date(Date.now() + 1e6) })
      await fuzz((random) => {
        const tampered = random(3) === 0 ? randomBytesOf(random, random(300)) : mutate(document, random)
        if (Buffer.compare(tampered, document) === 0) return
        expect(() => verifyIdentity(tampered, { signers: [signer.publicKeys], key })).toThrow(IdentityError)
      })
    },
    TIMEOUT,
  )
})

/** Bits flipped, bytes set, pieces cut out, doubled, moved or put in. */
function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let result = Uint8Array.from(bytes)
  for (let times = 1 + random(3); times > 0; times--) {
    const [from, to] = [random(result.length + 1), random(result.length + 1)].sort((a, b) => a - b) as [number, number]
    const piece = result.slice(from, Math.min(to, from + 200))
    const rest = () => Uint8Array.from([...result.subarray(0, from), ...result.subarray(from + piece.length)])
    const put = (into: Uint8Array, what: Uint8Array) => {
      const at = random(into.length + 1)
      return Uint8Array.from([...into.subarray(0, at), ...what, ...into.subarray(at)])
    }
    const kind = random(6)
    if (kind === 0 && from < result.length) result[from]! ^= 1 << random(8)
    else if (kind === 1) result.fill(random(2) * 255, from, from + 2)
    else if (kind === 2) result = rest()
    else if (kind === 3) result = put(result, piece)
    else if (kind === 4) result = put(rest(), piece)
    else result = put(result, randomBytesOf(random, random(30)))
  }
  return result
}
