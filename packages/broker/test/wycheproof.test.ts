import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { HandshakeError, KeyPair, nobleAead, TAG_BYTES } from '../src/index.js'
import { fromHex, hex } from './support/hex.js'

const read = <T>(name: string): T[] =>
  JSON.parse(readFileSync(new URL(`./vectors/wycheproof-${name}.json`, import.meta.url), 'utf8'))

interface Exchange {
  readonly tcId: number
  readonly public: string
  readonly private: string
  readonly shared: string
  readonly result: string
  readonly flags: readonly string[]
}

describe("Wycheproof's X25519", () => {
  const tests = read<Exchange>('x25519')

  it('gives the secrets that are secrets, and refuses those that everybody has', () => {
    expect(tests).toHaveLength(518)
    let refused = 0
    for (const { tcId, shared, flags, ...keys } of tests) {
      using pair = KeyPair.from(fromHex(keys.private))
      const agree = () => hex(pair.agree(fromHex(keys.public)))
      if (flags.includes('ZeroSharedSecret')) {
        refused++
        expect(agree, `test ${tcId}`).toThrow(
          expect.objectContaining({ code: 'ERR_PYISOLATE_HANDSHAKE', problem: 'point' }),
        )
      } else expect(agree(), `test ${tcId}`).toBe(shared)
    }
    expect(refused).toBeGreaterThan(10)
  })

  it.each([0, 31, 33])('a key of %i bytes is refused', (length) => {
    using pair = KeyPair.generate()
    expect(() => pair.agree(new Uint8Array(length).fill(9))).toThrow(HandshakeError)
  })
})

interface Sealing {
  readonly tcId: number
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly msg: string
  readonly ct: string
  readonly tag: string
  readonly result: string
}

describe("Wycheproof's ChaCha20-Poly1305", () => {
  const all = read<Sealing>('chacha20-poly1305')
  const tests = all.filter(({ key, iv }) => key.length === 64 && iv.length === 24)

  it('are all there; the others have nonces that the interface refuses', () => {
    expect(all).toHaveLength(300)
    expect(all.filter((test) => !tests.includes(test)).every(({ result }) => result === 'invalid')).toBe(true)
    expect(tests.length).toBeGreaterThan(200)
    expect(() => nobleAead.createKey(new Uint8Array(31))).toThrow(RangeError)
  })

  it('seal and open', () => {
    for (const { tcId, iv, aad, msg, ct, tag, result, ...test } of tests) {
      const key = nobleAead.createKey(fromHex(test.key))
      const sealed = fromHex(ct + tag)
      const plaintext = new Uint8Array(sealed.length - TAG_BYTES)
      const authentic = key.open(fromHex(iv), fromHex(aad), sealed, plaintext)
      expect(authentic, `test ${tcId}`).toBe(result === 'valid')
      if (!authentic) continue
      expect(hex(plaintext)).toBe(msg)
      const again = new Uint8Array(sealed.length)
      key.seal(fromHex(iv), fromHex(aad), fromHex(msg), again)
      expect(hex(again)).toBe(ct + tag)
    }
  })

  it('in place, in a batch', () => {
    for (const { tcId, iv, aad, msg, ct, tag, result, ...test } of tests.filter((one) => one.aad === '')) {
      const key = nobleAead.createKey(fromHex(test.key))
      const sealed = fromHex(`ffff${ct}${tag}ff`)
      const spans = Uint32Array.of(2, ct.length / 2 + TAG_BYTES)
      expect(key.openMany(fromHex(iv), sealed, spans, 1), `test ${tcId}`).toBe(result === 'valid' ? 1 : 0)
      if (result !== 'valid') continue
      expect(hex(sealed.subarray(2, -1 - TAG_BYTES))).toBe(msg)
      key.sealMany(fromHex(iv), sealed, spans, 1)
      expect(hex(sealed)).toBe(`ffff${ct}${tag}ff`)
    }
  })
})
