import { describe, expect, it } from 'vitest'
import {
  type ByteStream,
  type ChannelSetup,
  HandshakeError,
  KeyPair,
  memoryStreamPair,
  openChannel,
  type PatternName,
} from '../src/index.js'
import { PATTERNS, psk } from './support/handshakes.js'
import { hex } from './support/hex.js'
import { collect, openPair, setups } from './support/open.js'

const handshake = (problem: string) => expect.objectContaining({ code: 'ERR_PYISOLATE_HANDSHAKE', problem })
const option = (name: string) => expect.objectContaining({ code: 'ERR_PYISOLATE_BROKER_OPTION', option: name })

const a = KeyPair.generate()
const b = KeyPair.generate()

/** Every pattern with peers that know each other as it wants it. */
function setupsOf(pattern: PatternName): [ChannelSetup, ChannelSetup] {
  const [keyA, keyB] = [{ peer: { keys: [a.publicKey] } }, { peer: { keys: [b.publicKey] } }]
  const initiator = { role: 'initiator', pattern } as const
  const responder = { role: 'responder', pattern } as const
  const both = { NN: [{}, {}], KK: [{ remoteKey: b.publicKey }, { remoteKey: a.publicKey }] }
  if (pattern === 'NN')
    return [
      { ...initiator, peer: 'anyone' },
      { ...responder, peer: 'anyone' },
    ]
  const [ours, theirs] =
    pattern === 'KK' ? both.KK : pattern === 'IK' ? [{ remoteKey: b.publicKey }, keyA] : [keyB, keyA]
  return [
    { ...initiator, keys: a, ...ours },
    { ...responder, keys: b, ...theirs },
  ]
}

/** How both sides fare, whatever happens. */
async function attempt(first: ChannelSetup, second: ChannelSetup): Promise<unknown[]> {
  const [one, other] = memoryStreamPair()
  const both = await Promise.allSettled([openChannel(one, first), openChannel(other, second)])
  return both.map((result) => (result.status === 'fulfilled' ? 'open' : result.reason))
}

describe.each(PATTERNS)('%s', (pattern) => {
  it.each([false, true])('opens, pq %s', async (pq) => {
    const [first, second] = setupsOf(pattern)
    const [one, other] = memoryStreamPair()
    const [ours, theirs] = await Promise.all([
      openChannel(one, { ...first, pq }),
      openChannel(other, { ...second, pq, hash: 'SHA256' }),
    ])
    expect(hex(ours.handshakeHash)).toBe(hex(theirs.handshakeHash))
    expect(ours.remote.key).toEqual(pattern === 'NN' ? undefined : b.publicKey)
    expect(theirs.remote.key).toEqual(pattern === 'NN' ? undefined : a.publicKey)
    await ours.send(Uint8Array.of(1))
    await theirs.send(Uint8Array.of(2))
    expect(await theirs.readable()).toBe(true)
    expect(theirs.take()).toEqual(Uint8Array.of(1))
    await ours.close()
    expect(await collect(theirs)).toEqual({ messages: [], error: undefined })
  })

  it('never falls back from the hybrid form, whoever lacks it', async () => {
    const [first, second] = setupsOf(pattern)
    expect(await attempt({ ...first, pq: true }, second)).toEqual([handshake('pq'), handshake('pq')])
    expect(await attempt(first, { ...second, pq: true })).toEqual([handshake('pq'), handshake('pq')])
  })

  it('refuses another hash, prologue or pre-shared key', async () => {
    const [first, second] = setupsOf(pattern)
    expect(await attempt({ ...first, hash: 'BLAKE2s' }, second)).toEqual([handshake('protocol'), handshake('protocol')])
    const refused = [expect.any(HandshakeError), expect.any(HandshakeError)]
    expect(await attempt({ ...first, prologue: Uint8Array.of(1) }, second)).toEqual(refused)
    const [ours, theirs] = [psk(2), psk(2)]
    expect(await attempt({ ...first, psks: [ours] }, { ...second, psks: [theirs] })).toEqual(refused)
    expect(await attempt({ ...first, psks: [ours] }, { ...second, psks: [ours] })).toEqual(['open', 'open'])
  })
})

describe('a peer', () => {
  it('with another key is not let in', async () => {
    const stranger = KeyPair.generate()
    const [first, second] = setupsOf('IK')
    const [, reason] = await attempt({ ...first, keys: stranger }, second)
    expect(reason).toEqual(handshake('peer'))
    expect(await attempt({ ...first, remoteKey: stranger.publicKey }, second)).toEqual([
      handshake('transport'),
      handshake('authentication'),
    ])
    const [xx, other] = setupsOf('XX')
    expect(await attempt({ ...xx, keys: stranger }, other)).toEqual([handshake('transport'), handshake('peer')])
    expect(await attempt(xx, { ...other, keys: stranger })).toEqual([handshake('peer'), handshake('transport')])
  })

  it('that must prove nothing is let in only when that is said', async () => {
    for (const pattern of ['NN', 'XX'] as const) {
      const [first, second] = setupsOf(pattern)
      const { peer: _, ...silent } = first
      await expect(openChannel(memoryStreamPair()[0], silent)).rejects.toEqual(option('peer'))
      expect(await attempt({ ...first, peer: 'anyone' }, { ...second, peer: 'anyone' })).toEqual(['open', 'open'])
    }
    const [ik, responder] = setupsOf('IK')
    await expect(openChannel(memoryStreamPair()[0], { ...responder, peer: {} })).rejects.toEqual(option('peer'))
    const { peer: _, ...silent } = responder
    await expect(openChannel(memoryStreamPair()[0], silent)).rejects.toEqual(option('peer'))
    expect(await attempt(ik, { ...silent, peer: 'anyone' })).toEqual(['open', 'open'])
    const [nn] = setupsOf('NN')
    await expect(openChannel(memoryStreamPair()[0], { ...nn, peer: { keys: [] } })).rejects.toEqual(option('peer'))
    const secret = psk(0)
    const [{ peer: _1, ...nnFirst }, { peer: _2, ...nnSecond }] = setupsOf('NN')
    expect(await attempt({ ...nnFirst, psks: [secret] }, { ...nnSecond, psks: [secret] })).toEqual(['open', 'open'])
  })

  it('that replays an old first message gets no channel', async () => {
    const [first, second] = setups()
    const [one, other] = memoryStreamPair()
    const recorded: Uint8Array[] = []
    const recording = recorder(one, recorded)
    await Promise.all([openChannel(recording, first), openChannel(other, second)])
    const [replayer, victim] = memoryStreamPair()
    const opening = openChannel(victim, second)
    replayer.start({ data: () => {}, end: () => {}, fail: () => {} })
    // Hello and message, then the confirmation: of other keys than this session's.
    for (const bytes of recorded) await write(replayer, bytes)
    await expect(opening).rejects.toEqual(handshake('authentication'))
  })

  it.each([
    ['is silent', [], 'timeout'],
    ['talks of something else', ['GET / HTTP/1.1\r\n\r\n'], 'message'],
    ['has a name without end', ['PYI1\xff'], 'message'],
    ['has no name', ['PYI1\0'], 'message'],
    ['has another protocol', ['PYI1\x05Noise'], 'protocol'],
    ['sends a message without end', ['PYI1\x20Noise_IK_25519_ChaChaPoly_SHA256\xff\xff', 'x'.repeat(1000)], 'timeout'],
    ['sends an empty message', ['PYI1\x20Noise_IK_25519_ChaChaPoly_SHA256\0\0', 'PYI1\x01x'], 'message'],
    ['sends a short message', ['PYI1\x20Noise_IK_25519_ChaChaPoly_SHA256\0\x05', '12345'], 'message'],
    ['sends nonsense', ['PYI1\x20Noise_IK_25519_ChaChaPoly_SHA256\0\x60', '9'.repeat(96)], 'authentication'],
  ])('that %s is refused by a responder', async (_, texts, problem) => {
    const [hostile, stream] = memoryStreamPair()
    hostile.start({ data: () => {}, end: () => {}, fail: () => {} })
    const opening = openChannel(stream, { ...setups()[1], handshakeTimeoutMs: problem === 'timeout' ? 50 : 5000 })
    const expected = expect(opening).rejects.toEqual(handshake(problem))
    for (const text of texts) await write(hostile, Uint8Array.from(Buffer.from(text, 'latin1')))
    await expected
  })

  it.each([
    ['is silent', '', 'timeout'],
    ['refuses, and says our own name', '\0\0PYI1\x20Noise_IK_25519_ChaChaPoly_SHA256', 'message'],
    ['refuses with the hybrid form', '\0\0PYI1\x0eNoise_IKhfs_xx', 'pq'],
    ['refuses in no known way', '\0\0no such thing', 'message'],
    ['sends nonsense', `\0\x60${'9'.repeat(96)}`, 'authentication'],
  ])('that %s is refused by an initiator', async (_, text, problem) => {
    const [hostile, stream] = memoryStreamPair()
    hostile.start({ data: () => {}, end: () => {}, fail: () => {} })
    const opening = openChannel(stream, { ...setups()[0], handshakeTimeoutMs: problem === 'timeout' ? 50 : 5000 })
    void write(hostile, Uint8Array.from(Buffer.from(text, 'latin1')))
    await expect(opening).rejects.toEqual(handshake(problem))
  })

  it('that goes away is noticed at once', async () => {
    for (const setup of setups()) {
      const [hostile, stream] = memoryStreamPair()
      const opening = openChannel(stream, setup)
      hostile.start({ data: () => {}, end: () => {}, fail: () => {} })
      hostile.destroy()
      await expect(opening).rejects.toEqual(handshake('transport'))
    }
  })

  it('that floods a handshake is paused, and then refused', async () => {
    const [hostile, stream] = memoryStreamPair()
    hostile.start({ data: () => {}, end: () => {}, fail: () => {} })
    const opening = openChannel(stream, { ...setups()[1], handshakeTimeoutMs: 100 })
    const hello = Buffer.from('PYI1\x20Noise_IK_25519_ChaChaPoly_SHA256\xff\xff', 'latin1')
    let taken = 0
    void (async () => {
      await write(hostile, hello)
      for (;;) {
        await write(hostile, new Uint8Array(50_000))
        taken += 50_000
        if (taken > 10_000_000) return
      }
    })().catch(() => {})
    await expect(opening).rejects.toBeInstanceOf(HandshakeError)
    expect(taken).toBeLessThan(400_000)
  })
})

describe('giving up', () => {
  it('by the signal ends the handshake and the stream', async () => {
    const [hostile, stream] = memoryStreamPair()
    let ended = false
    hostile.start({ data: () => {}, end: () => (ended = true), fail: () => {} })
    const opening = openChannel(stream, { ...setups()[0], signal: AbortSignal.timeout(20) })
    await expect(opening).rejects.toThrow(/time/)
    await Promise.resolve()
    expect(ended).toBe(true)
    const aborted = openChannel(memoryStreamPair()[0], { ...setups()[0], signal: AbortSignal.abort(new Error('no')) })
    await expect(aborted).rejects.toThrow('no')
  })

  it('is counted', async () => {
    const counted: unknown[] = []
    const metrics = { count: (...args: unknown[]) => void counted.push(args) }
    await expect(openPair({ metrics }, { pq: true })).rejects.toBeInstanceOf(HandshakeError)
    expect(counted).toEqual([['pyisolate_channel_handshake_failures_total', { problem: 'pq' }]])
  })
})

function write(stream: ByteStream, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => stream.write(bytes, (error) => (error ? reject(error) : resolve())))
}

function recorder(stream: ByteStream, into: Uint8Array[]): ByteStream {
  return {
    start: (reader) => stream.start(reader),
    write(bytes, done) {
      into.push(Uint8Array.from(bytes))
      stream.write(bytes, done)
    },
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    end: () => stream.end(),
    destroy: () => stream.destroy(),
  }
}
