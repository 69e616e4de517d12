import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { BrokerOptionError, HandshakeError, KeyPair, type PatternName } from '../src/index.js'
import { Handshake } from '../src/internal/noise/handshake.js'
import { patternOf } from '../src/internal/noise/patterns.js'
import { finish, keysOf, PATTERNS, pairOf, psk } from './support/handshakes.js'
import { hex } from './support/hex.js'

const problem = (name: string) => expect.objectContaining({ code: 'ERR_PYISOLATE_HANDSHAKE', problem: name })
const wrongOption = (name: string) => expect.objectContaining({ code: 'ERR_PYISOLATE_BROKER_OPTION', option: name })
const nothing = new Uint8Array()

/** Points of small order on the curve and its twist, as u-coordinates, canonical and not (RFC 7748, section 7). */
const LOW_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880',
]

describe.each(PATTERNS)('%s', (pattern) => {
  it.each([
    { pq: false, psks: [] as number[] },
    { pq: true, psks: [] },
    { pq: false, psks: [0, 2] },
    { pq: true, psks: [1] },
  ])('agrees on keys, pq $pq, pre-shared keys at $psks', ({ pq, psks }) => {
    const extra = { pq, psks: psks.map(psk), prologue: Uint8Array.of(1, 2) }
    const [initiator, responder] = pairOf(pattern, extra)
    finish(initiator, responder)
    const [ours, theirs] = [initiator.session(), responder.session()]
    expect(hex(ours.handshakeHash)).toBe(hex(theirs.handshakeHash))
    for (const [send, receive] of [
      [ours.send, theirs.receive],
      [theirs.send, ours.receive],
    ] as const) {
      expect(receive.decrypt(nothing, send.encrypt(nothing, Uint8Array.of(7)))).toEqual(Uint8Array.of(7))
    }
  })

  it('is different every time', () => {
    const hashes = [1, 2].map(() => {
      const [initiator, responder] = pairOf(pattern)
      finish(initiator, responder)
      return hex(initiator.session().handshakeHash)
    })
    expect(hashes[0]).not.toBe(hashes[1])
  })

  it("notices any changed byte of any message, at the latest by the peer's next one", () => {
    const count = patternOf(pattern, false, []).messages.length
    for (let changed = 0; changed < count; changed++) {
      const [model] = lengths(pattern)
      for (let at = 0; at < model![changed]!; at += 1 + Math.floor(Math.random() * 7)) {
        const [initiator, responder] = pairOf(pattern)
        const bit = 1 << Math.floor(Math.random() * 8)
        const agreed = run(initiator, responder, (number, message) => {
          if (number === changed) message[at]! ^= bit
        })
        // The highest bit of a public key says nothing to X25519, but the hash knows it.
        expect(agreed, `byte ${at}, bit ${bit} of message ${changed}`).toBe(false)
      }
    }
  })

  it('refuses messages that are cut short, empty, too long, or repeated', () => {
    for (const change of [
      (message: Uint8Array) => message.subarray(0, -1),
      (message: Uint8Array) => message.subarray(0, 31),
      () => nothing,
      () => new Uint8Array(65_536),
    ]) {
      const [initiator, responder] = pairOf(pattern)
      const message = change(initiator.writeMessage(Uint8Array.of(1)))
      const payload = () => responder.readMessage(message)
      if (pattern === 'NN' && message.length === 32) continue
      if (pattern === 'XX' && message.length === 32) continue
      expect(payload).toThrow(HandshakeError)
      expect(responder.turn).toBe('failed')
    }
    const [initiator, responder] = pairOf(pattern)
    const first = initiator.writeMessage()
    responder.readMessage(first)
    expect(() => responder.readMessage(first)).toThrow(problem('order'))
  })

  it('refuses a message that comes back to who wrote it', () => {
    const [initiator] = pairOf(pattern)
    const message = initiator.writeMessage()
    expect(() => initiator.readMessage(message)).toThrow(HandshakeError)
    expect(() => initiator.session()).toThrow(problem('order'))
  })

  it('refuses a public key of low order', () => {
    for (const point of LOW_ORDER) {
      const [initiator, responder] = pairOf(pattern)
      const message = initiator.writeMessage()
      message.set(Buffer.from(point, 'hex'))
      const attack = () => {
        responder.readMessage(message)
        responder.writeMessage()
      }
      expect(attack, point).toThrow(problem('point'))
      expect(responder.turn).toBe('failed')
    }
  })

  it('needs the same prologue, pre-shared keys, pattern and hash on both sides', () => {
    const secret = psk(2)
    for (const [ours, theirs] of [
      [{ prologue: Uint8Array.of(1) }, { prologue: Uint8Array.of(2) }],
      [{ psks: [secret] }, { psks: [{ ...secret, key: new Uint8Array(32) }] }],
      [{ psks: [secret] }, {}],
      [{ hash: 'BLAKE2s' as const }, {}],
      [{ pq: true }, {}],
      [{}, { pq: true }],
    ]) {
      const { initiator, responder } = keysOf(pattern)
      expect(run(new Handshake({ ...initiator, ...ours }), new Handshake({ ...responder, ...theirs }))).toBe(false)
    }
  })

  it('fails for good when it is driven out of order', () => {
    const wrong: ((handshake: Handshake) => void)[] = [
      (one) => one.readMessage(new Uint8Array(96)),
      (one) => one.session(),
    ]
    for (const drive of wrong) {
      const [initiator] = pairOf(pattern)
      expect(() => drive(initiator)).toThrow(problem('order'))
      expect(initiator.turn).toBe('failed')
      expect(() => initiator.writeMessage()).toThrow(problem('order'))
    }
    const [, responder] = pairOf(pattern)
    expect(() => responder.writeMessage()).toThrow(problem('order'))
    const done = pairOf(pattern)
    finish(...done)
    expect(done[0].turn).toBe('done')
    done[0].session()
    expect(() => done[0].session()).toThrow(problem('order'))
    expect(() => done[1].writeMessage()).toThrow(problem('order'))
    expect(() => done[1].session()).toThrow(problem('order'))
  })

  it("wipes what it derived, and leaves the caller's keys alone", () => {
    const secret = psk(0)
    const { initiator, initiatorKeys } = keysOf(pattern)
    const handshake = new Handshake({ ...initiator, psks: [secret] })
    handshake.wipe()
    expect(() => handshake.writeMessage()).toThrow(problem('order'))
    expect(initiatorKeys.exportPrivateKey().some((byte) => byte !== 0)).toBe(true)
    expect(secret.key.some((byte) => byte !== 0)).toBe(true)
  })
})

/** False when either side refuses, or they come out with different keys. */
function run(
  initiator: Handshake,
  responder: Handshake,
  change: (number: number, message: Uint8Array) => void = () => {},
): boolean {
  try {
    for (let number = 0; initiator.turn !== 'done' || responder.turn !== 'done'; number++) {
      const [writer, reader] = number % 2 === 0 ? [initiator, responder] : [responder, initiator]
      const message = writer.writeMessage()
      change(number, message)
      reader.readMessage(message)
    }
    const [ours, theirs] = [initiator.session(), responder.session()]
    return theirs.receive.decrypt(nothing, ours.send.encrypt(nothing, nothing)) !== undefined
  } catch (error) {
    expect(error).toBeInstanceOf(HandshakeError)
    return false
  }
}

function lengths(pattern: PatternName): number[][] {
  return [finish(...pairOf(pattern)).map(({ length }) => length)]
}

describe('the hybrid form', () => {
  it('puts its tokens where the extension says, encrypted where that can be', () => {
    const messages = (pattern: PatternName) => patternOf(pattern, true, []).messages.map((tokens) => tokens.join(' '))
    expect(messages('NN')).toEqual(['e e1', 'e ee ekem1'])
    expect(messages('KK')).toEqual(['e es e1 ss', 'e ee ekem1 se'])
    expect(messages('IK')).toEqual(['e es e1 s ss', 'e ee ekem1 se'])
    expect(messages('XX')).toEqual(['e e1', 'e ee ekem1 s es', 's se'])
  })

  it('is named by the extension, with modifiers in order', () => {
    expect(pairOf('IK', { pq: true, psks: [psk(2), psk(0)] })[0].protocol).toBe(
      'Noise_IKhfs+psk0+psk2_25519+MLKEM768_ChaChaPoly_SHA256',
    )
    expect(pairOf('NN', { pq: true })[0].protocol).toBe('Noise_NNhfs_25519+MLKEM768_ChaChaPoly_SHA256')
  })

  it('has the lengths of ML-KEM-768', () => {
    expect(finish(...pairOf('NN', { pq: true })).map(({ length }) => length)).toEqual([32 + 1184, 32 + 1088 + 16 + 16])
  })

  it('needs the secret of ML-KEM: a ciphertext for somebody else leads nowhere', () => {
    const [initiator, responder] = pairOf('NN', { pq: true })
    const first = initiator.writeMessage()
    const [stranger] = pairOf('NN', { pq: true })
    const swapped = Uint8Array.from(first)
    swapped.set(stranger.writeMessage().subarray(32), 32)
    responder.readMessage(swapped)
    expect(() => initiator.readMessage(responder.writeMessage())).toThrow(problem('authentication'))
  })
})

describe('options', () => {
  const { initiator, responder } = keysOf('IK')
  it.each([
    ['role', { ...initiator, role: 'both' }],
    ['pattern', { ...initiator, pattern: 'XK' }],
    ['pattern', { ...initiator, pattern: 'toString' }],
    ['hash', { ...initiator, hash: 'MD5' }],
    ['pq', { ...initiator, pq: 'yes' }],
    ['keys', { ...initiator, keys: undefined }],
    ['keys', { ...initiator, keys: { publicKey: new Uint8Array(32) } }],
    ['keys', { ...initiator, pattern: 'NN', remoteKey: undefined }],
    ['remoteKey', { ...initiator, remoteKey: undefined }],
    ['remoteKey', { ...initiator, remoteKey: nothing }],
    ['remoteKey', { ...responder, remoteKey: new Uint8Array(32) }],
    ['psks', { ...initiator, psks: [{ place: 3, key: new Uint8Array(32) }] }],
    ['psks', { ...initiator, psks: [{ place: 0, key: new Uint8Array(31) }] }],
    ['psks', { ...initiator, psks: [psk(0), psk(0)] }],
    ['prologue', { ...initiator, prologue: 'text' }],
  ])('%s is checked', (name, options) => {
    expect(() => new Handshake(options as never)).toThrow(wrongOption(name))
    expect(() => new Handshake(options as never)).toThrow(BrokerOptionError)
  })

  it('keys are copied, and wiped when they are disposed of', () => {
    const bytes = Uint8Array.from(randomBytes(32))
    const pair = KeyPair.from(bytes)
    bytes.fill(0)
    expect(pair.exportPrivateKey().some((byte) => byte !== 0)).toBe(true)
    pair[Symbol.dispose]()
    expect(() => pair.exportPrivateKey()).toThrow(wrongOption('keys'))
    expect(() => pair.agree(KeyPair.generate().publicKey)).toThrow(wrongOption('keys'))
  })
})
