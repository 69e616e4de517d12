import { createCipheriv, randomBytes } from 'node:crypto'
import { deserialize, serialize } from 'node:v8'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { advance, isLast } from '../src/aead/counter.js'
import { type Aead, type AeadKey, nobleAead } from '../src/index.js'
import { CipherState } from '../src/internal/noise/cipher-state.js'
import { Handshake } from '../src/internal/noise/handshake.js'
import { finish, keysOf, PATTERNS, pairOf } from './support/handshakes.js'
import { hex } from './support/hex.js'
import { collect, openPair, settle } from './support/open.js'

const nothing = new Uint8Array()

/** The same AEAD, which notes every key and nonce that something was sealed with, and refuses to see one twice. */
function watchful(used: Set<string>, keys = new Set<string>()): Aead {
  return {
    name: 'watchful',
    createKey(bytes): AeadKey {
      const name = hex(bytes)
      keys.add(name)
      const key = nobleAead.createKey(bytes)
      const note = (nonce: Uint8Array) => {
        const pair = `${name} ${hex(nonce)}`
        if (used.has(pair)) throw new Error(`a nonce is used twice: ${pair}`)
        used.add(pair)
      }
      return {
        seal(nonce, associatedData, plaintext, output) {
          note(nonce)
          key.seal(nonce, associatedData, plaintext, output)
        },
        sealMany(nonce, buffer, spans, count) {
          const each = Uint8Array.from(nonce)
          for (let at = 0; at < count; at++) {
            note(each)
            advance(each, 1)
          }
          key.sealMany(nonce, buffer, spans, count)
        },
        open: (...args) => key.open(...args),
        openMany: (...args) => key.openMany(...args),
        wipe: () => key.wipe(),
      }
    },
  }
}

describe('no key meets a nonce twice', () => {
  it('in a channel, whatever is sent, across rekeys by count, by time and by hand', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.nat(200), fc.constant(70_000), fc.constant('rekey'), fc.constant('settle')), {
          minLength: 1,
          maxLength: 60,
        }),
        fc.integer({ min: 1, max: 10 }),
        async (steps, rekeyAfterMessages) => {
          const used = new Set<string>()
          const keys = new Set<string>()
          const aead = watchful(used, keys)
          const limits = { rekeyAfterMessages, rekeyAfterMs: 3 }
          const [ours, theirs] = await openPair({ aead, limits }, { limits })
          const reading = collect(theirs)
          const before = used.size
          let sent = 0
          for (const step of steps) {
            if (step === 'rekey') ours.rekey()
            else if (step === 'settle') await settle()
            else {
              sent++
              await ours.send(new Uint8Array(step as number))
            }
          }
          await ours.close()
          const { messages, error } = await reading
          expect(error).toBeUndefined()
          expect(messages).toHaveLength(sent)
          const { framesSent, rekeysSent } = ours.stats()
          expect(rekeysSent).toBeGreaterThanOrEqual(Math.floor(framesSent / (rekeyAfterMessages + 1)))
          // Each rekey seals zeros under the nonce that is kept for it.
          expect(used.size - before).toBeGreaterThanOrEqual(framesSent - 1)
          // What comes behind the close is not looked at.
          expect(rekeysSent - theirs.stats().rekeysReceived).toBeOneOf([0, 1])
        },
      ),
      { numRuns: 30 },
    )
  })

  it('in a handshake, of any pattern', () => {
    for (const pattern of PATTERNS) {
      // One set for each side: both derive the same keys, and each seals with them only what the other opens.
      const used = [new Set<string>(), new Set<string>()]
      const { initiator, responder } = keysOf(pattern)
      const ours = new Handshake({ ...initiator, aead: watchful(used[0]!), pq: true })
      const theirs = new Handshake({ ...responder, aead: watchful(used[1]!), pq: true })
      finish(ours, theirs)
      expect(used[0]!.size + used[1]!.size).toBeGreaterThan(1)
      expect([...used[0]!].filter((pair) => used[1]!.has(pair))).toEqual([])
    }
  })

  it('when the cipher fails in the middle: the counter has moved on by then', () => {
    let failing = true
    const seen: string[] = []
    const aead: Aead = {
      name: 'failing',
      createKey: (bytes) => {
        const key = nobleAead.createKey(bytes)
        return Object.assign(Object.create(key) as AeadKey, {
          wipe: () => key.wipe(),
          seal: (nonce: Uint8Array, ad: Uint8Array, text: Uint8Array, output: Uint8Array) => {
            seen.push(hex(nonce))
            key.seal(nonce, ad, text, output)
            if (failing) throw new Error('the engine broke')
          },
        })
      },
    }
    const state = new CipherState(aead, new Uint8Array(32))
    expect(() => state.encrypt(nothing, nothing)).toThrow('the engine broke')
    failing = false
    state.encrypt(nothing, nothing)
    expect(seen).toEqual(['000000000000000000000000', '000000000100000000000000'])
  })
})

describe('a counter', () => {
  it('has 64 bits, little-endian, behind four zeros', () => {
    const nonce = new Uint8Array(12)
    expect(advance(nonce, 0xffff_ffff)).toBe(true)
    expect(hex(nonce)).toBe('00000000ffffffff00000000')
    expect(advance(nonce, 1)).toBe(true)
    expect(hex(nonce)).toBe('000000000000000001000000')
    nonce.fill(0xff, 5)
    expect(advance(nonce, 0xff)).toBe(true)
    expect(isLast(nonce)).toBe(true)
    expect(advance(nonce, 1)).toBe(false)
  })

  it('equals the sum, for any two', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        (start, count) => {
          const nonce = new Uint8Array(12)
          const view = new DataView(nonce.buffer)
          view.setBigUint64(4, start, true)
          const fits = advance(nonce, count)
          expect(fits).toBe(start + BigInt(count) < 2n ** 64n)
          expect(view.getBigUint64(4, true)).toBe((start + BigInt(count)) % 2n ** 64n)
          expect(view.getUint32(0)).toBe(0)
        },
      ),
    )
  })
})

describe('rekeying', () => {
  it('is as Noise section 4.2 has it, by another implementation of the cipher', () => {
    const key = Uint8Array.from(randomBytes(32))
    const state = new CipherState(nobleAead, key)
    state.encrypt(nothing, nothing)
    state.rekey()
    const seal = (under: Uint8Array, nonce: Uint8Array, text: Uint8Array) => {
      const cipher = createCipheriv('chacha20-poly1305', under, nonce, { authTagLength: 16 })
      return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()])
    }
    const last = new Uint8Array(12).fill(0xff, 4)
    const next = seal(key, last, new Uint8Array(32)).subarray(0, 32)
    const second = new Uint8Array(12)
    second[4] = 1
    expect(hex(state.encrypt(nothing, Uint8Array.of(5)))).toBe(hex(seal(next, second, Uint8Array.of(5))))
  })

  it('wipes the key it leaves, and the end wipes all', async () => {
    const live = new Set<AeadKey>()
    const aead: Aead = {
      name: 'counting',
      createKey(bytes) {
        const key = nobleAead.createKey(bytes)
        live.add(key)
        const wipe = key.wipe.bind(key)
        key.wipe = () => {
          live.delete(key)
          wipe()
        }
        return key
      },
    }
    const [ours, theirs] = await openPair({ aead })
    expect(live.size).toBe(4)
    for (let round = 0; round < 5; round++) {
      await ours.send(Uint8Array.of(round))
      ours.rekey()
      await settle()
    }
    expect(theirs.stats().rekeysReceived).toBe(5)
    expect(live.size).toBe(4)
    await ours.close()
    await theirs.closed
    expect(live.size).toBe(0)
  })

  it('does nothing under a key that was not used', async () => {
    const [ours, theirs] = await openPair()
    await settle()
    ours.rekey()
    ours.rekey()
    await settle()
    ours.rekey()
    await settle()
    expect(ours.stats().rekeysSent).toBe(1)
    expect(theirs.stats().rekeysReceived).toBe(1)
  })
})

describe('no copy can be made', () => {
  it('of a channel, a handshake or a cipher state', async () => {
    const [ours] = await openPair()
    const [handshake] = pairOf('XX')
    const state = new CipherState(nobleAead, new Uint8Array(32))
    for (const one of [ours, handshake, state]) {
      expect(() => structuredClone(one)).toThrow(/could not be cloned/)
      expect(() => deserialize(serialize(one))).toThrow(/could not be cloned/)
      expect(JSON.stringify(one)).not.toMatch(/[0-9a-f]{16}/)
      const shell = Object.assign(Object.create(Object.getPrototypeOf(one)), one)
      expect(() => (shell.send ?? shell.writeMessage ?? shell.encrypt).call(shell, nothing, nothing)).toThrow(TypeError)
    }
    expect(Object.keys(state)).toEqual(['uncloneable'])
  })

  it('nor sent to another thread, or set back to what was read of it', async () => {
    const [ours] = await openPair()
    const [handshake] = pairOf('XX')
    const state = new CipherState(nobleAead, new Uint8Array(32))
    const { port1, port2 } = new MessageChannel()
    for (const one of [ours, handshake, state]) {
      expect(() => port1.postMessage(one)).toThrow(/could not be cloned/)
      const text = JSON.stringify(one)
      if (text !== undefined)
        for (const value of Object.values(JSON.parse(text))) expect(value).not.toBeTypeOf('function')
    }
    port1.close()
    port2.close()
    // What can be read of a state, assigned to it later, changes nothing of what it does next.
    const read = { ...state }
    const first = state.encrypt(nothing, Uint8Array.of(1))
    Object.assign(state, read)
    expect(state.encrypt(nothing, Uint8Array.of(1))).not.toEqual(first)
  })

  it('of a key: what comes out of cloning one has neither its bytes nor its methods', () => {
    const bytes = Uint8Array.from(randomBytes(32))
    const key = nobleAead.createKey(bytes)
    for (const copy of [
      structuredClone(key),
      deserialize(serialize(key)),
      JSON.parse(JSON.stringify(key)),
    ] as AeadKey[]) {
      expect(copy.seal).toBeUndefined()
      expect(serialize(copy).includes(Buffer.from(bytes))).toBe(false)
    }
    const shell = Object.create(Object.getPrototypeOf(key)) as AeadKey
    expect(() => shell.seal(new Uint8Array(12), nothing, nothing, new Uint8Array(16))).toThrow(TypeError)
  })
})
