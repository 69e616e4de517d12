import { createCipheriv, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { AeadKey } from '@pyisolate/interface'
import { aeadCompliance } from '@pyisolate/test-kit/compliance'
import { describe, expect, it } from 'vitest'

import { createNativeAead } from '../../src/index.js'
import { addonPath } from '../support/fake.js'

const aead = createNativeAead({ addon: addonPath })
aeadCompliance('native', aead)

const TAG = 16
const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const hex = (from: Uint8Array) => Buffer.from(from).toString('hex')
const random = (length: number) => Uint8Array.from(randomBytes(length))
const none = new Uint8Array(0)

function nonceOf(counter: bigint): Uint8Array {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setBigUint64(4, counter, true)
  return nonce
}

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
const vectors: Sealing[] = JSON.parse(
  readFileSync(new URL('../vectors/wycheproof-chacha20-poly1305.json', import.meta.url), 'utf8'),
)

describe("Wycheproof's vectors, RFC 8439's own among them", () => {
  const fitting = vectors.filter(({ iv }) => iv.length === 24)

  it('are there', () => {
    expect(vectors).toHaveLength(300)
    expect(fitting.length).toBeGreaterThan(200)
    expect(vectors[0]).toMatchObject({ comment: 'RFC 7539', result: 'valid' })
  })

  it('seal and open', () => {
    for (const { tcId, iv, aad, msg, ct, tag, result, ...test } of fitting) {
      const key = aead.createKey(bytes(test.key))
      const sealed = bytes(ct + tag)
      const plaintext = new Uint8Array(sealed.length - TAG).fill(1)
      const authentic = key.open(bytes(iv), bytes(aad), sealed, plaintext)
      expect(authentic, `test ${tcId}`).toBe(result === 'valid')
      expect(hex(plaintext)).toBe(authentic ? msg : '00'.repeat(plaintext.length))
      if (!authentic) continue
      const again = new Uint8Array(sealed.length)
      key.seal(bytes(iv), bytes(aad), bytes(msg), again)
      expect(hex(again)).toBe(ct + tag)
    }
  })

  it('other nonces are refused', () => {
    const key = aead.createKey(new Uint8Array(32))
    for (const { iv } of vectors.filter((one) => !fitting.includes(one))) {
      expect(() => key.seal(bytes(iv), none, none, new Uint8Array(TAG))).toThrow(RangeError)
      expect(() => key.open(bytes(iv), none, new Uint8Array(TAG), none)).toThrow(RangeError)
    }
  })
})

describe('batches', () => {
  it("are OpenSSL's bytes, counter after counter, and open again", () => {
    const secret = random(32)
    const [sealing, opening] = [aead.createKey(secret), aead.createKey(secret)]
    const texts = Array.from({ length: 300 }, (_, at) => random((at * 37) % 2000))
    const spans = new Uint32Array(2 * texts.length)
    const buffer = new Uint8Array(texts.reduce((sum, { length }) => sum + length + TAG, 0))
    let at = 0
    for (const [number, text] of texts.entries()) {
      buffer.set(text, at)
      spans.set([at, text.length + TAG], 2 * number)
      at += text.length + TAG
    }
    const first = 2n ** 32n - 100n
    sealing.sealMany(nonceOf(first), buffer, spans, texts.length)
    for (const [number, text] of texts.entries()) {
      const cipher = createCipheriv('chacha20-poly1305', secret, nonceOf(first + BigInt(number)), {
        authTagLength: TAG,
      })
      const right = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()])
      expect(hex(buffer.subarray(spans[2 * number]!, spans[2 * number]! + text.length + TAG))).toBe(hex(right))
    }
    buffer[spans[2 * 250]!]! ^= 1
    expect(opening.openMany(nonceOf(first), buffer, spans, texts.length)).toBe(250)
    expect(hex(buffer.subarray(spans[2 * 249]!, spans[2 * 249]! + texts[249]!.length))).toBe(hex(texts[249]!))
  })
})

describe('a counter is used once', () => {
  const seal = (key: AeadKey, counter: bigint) => key.seal(nonceOf(counter), none, none, new Uint8Array(TAG))
  const many = (key: AeadKey, counter: bigint, count: number) =>
    key.sealMany(
      nonceOf(counter),
      new Uint8Array(count * TAG),
      Uint32Array.from(Array.from({ length: count }, (_, at) => [at * TAG, TAG]).flat()),
      count,
    )

  it('whatever comes between', () => {
    const key = aead.createKey(random(32))
    seal(key, 5n)
    for (const used of [5n, 4n, 0n]) expect(() => seal(key, used)).toThrow(RangeError)
    many(key, 6n, 10)
    for (const used of [6n, 15n]) expect(() => seal(key, used)).toThrow(RangeError)
    expect(() => many(key, 15n, 3)).toThrow(RangeError)
    many(key, 16n, 0)
    seal(key, 16n)
    // Opening takes no counter.
    expect(key.open(nonceOf(3n), none, new Uint8Array(TAG), none)).toBe(false)
    seal(key, 2n ** 64n - 1n)
    for (const used of [0n, 17n, 2n ** 64n - 1n]) expect(() => seal(key, used)).toThrow(RangeError)
  })

  it('and batches end before they would wrap', () => {
    const key = aead.createKey(random(32))
    expect(() => many(key, 2n ** 64n - 2n, 3)).toThrow(RangeError)
    expect(() => key.openMany(nonceOf(2n ** 64n - 2n), new Uint8Array(0), new Uint32Array(6), 3)).toThrow(RangeError)
    many(key, 2n ** 64n - 2n, 2)
    expect(() => many(key, 0n, 1)).toThrow(RangeError)
  })

  it('a batch that is refused takes none, and changes nothing', () => {
    const key = aead.createKey(random(32))
    const buffer = random(64)
    const before = hex(buffer)
    expect(() => key.sealMany(nonceOf(0n), buffer, Uint32Array.of(0, 32, 32, 33), 2)).toThrow(RangeError)
    expect(hex(buffer)).toBe(before)
    seal(key, 0n)
  })
})

describe('misuse', () => {
  // biome-ignore lint/suspicious/noExplicitAny: the types are what is being broken
  const key = aead.createKey(random(32)) as any
  const nonce = nonceOf(1n)

  it('by types', () => {
    for (const bad of [undefined, null, 1, 'x', {}, [], new Uint16Array(12), new DataView(new ArrayBuffer(12))]) {
      expect(() => key.seal(bad, none, none, new Uint8Array(TAG))).toThrow(TypeError)
      expect(() => key.seal(nonce, bad, none, new Uint8Array(TAG))).toThrow(TypeError)
      expect(() => key.seal(nonce, none, bad, new Uint8Array(TAG))).toThrow(TypeError)
      expect(() => key.open(nonce, none, new Uint8Array(TAG), bad)).toThrow(TypeError)
      expect(() => key.sealMany(nonce, bad, new Uint32Array(2), 0)).toThrow(TypeError)
      expect(() => key.sealMany(nonce, none, bad, 0)).toThrow(TypeError)
      expect(() => aead.createKey(bad as never)).toThrow(TypeError)
    }
    for (const count of [-1, 1.5, Number.NaN, 2 ** 32, '1', undefined])
      expect(() => key.openMany(nonce, none, new Uint32Array(2), count)).toThrow(TypeError)
    expect(() => Object.getPrototypeOf(key).seal.call({}, nonce, none, none, none)).toThrow(TypeError)
    expect(() => key.seal()).toThrow(TypeError)
  })

  it('by lengths', () => {
    for (const length of [0, 31, 33, 64]) expect(() => aead.createKey(new Uint8Array(length))).toThrow(RangeError)
    for (const length of [0, 15, 17, 32])
      expect(() => key.seal(nonce, none, none, new Uint8Array(length))).toThrow(RangeError)
    expect(() => key.open(nonce, none, new Uint8Array(20), new Uint8Array(5))).toThrow(RangeError)
    expect(key.open(nonce, none, new Uint8Array(15), none)).toBe(false)
    const buffer = new Uint8Array(64)
    for (const span of [
      [60, 20],
      [0, 65],
      [65, 0],
      [0xffff_ffff, 0xffff_ffff],
      [0xffff_fff0, 32],
    ]) {
      expect(() => key.sealMany(nonce, buffer, Uint32Array.from(span), 1)).toThrow(RangeError)
      expect(() => key.openMany(nonce, buffer, Uint32Array.from(span), 1)).toThrow(RangeError)
    }
    expect(() => key.sealMany(nonce, buffer, Uint32Array.of(0, TAG - 1), 1)).toThrow(RangeError)
    expect(() => key.sealMany(nonce, buffer, Uint32Array.of(0, 20, 0), 2)).toThrow(RangeError)
  })

  it('by buffers that lie over each other, or are gone', () => {
    const memory = new Uint8Array(64)
    expect(() => key.seal(nonce, none, memory.subarray(1, 17), memory.subarray(0, 32))).toThrow(RangeError)
    expect(() => key.open(nonce, none, memory.subarray(0, 32), memory.subarray(1, 17))).toThrow(RangeError)
    const gone = new Uint8Array(64)
    structuredClone(gone.buffer, { transfer: [gone.buffer] })
    expect(() => key.sealMany(nonce, gone, Uint32Array.of(0, 32), 1)).toThrow(RangeError)
    expect(() => key.seal(nonce, none, none, gone)).toThrow(RangeError)
  })

  it('after it is wiped', () => {
    const wiped = aead.createKey(random(32))
    wiped.wipe()
    wiped.wipe()
    expect(() => wiped.seal(nonce, none, none, new Uint8Array(TAG))).toThrow(/wiped/)
    expect(() => wiped.open(nonce, none, new Uint8Array(TAG), none)).toThrow(/wiped/)
    expect(() => wiped.sealMany(nonce, none, new Uint32Array(0), 0)).toThrow(/wiped/)
    expect(() => wiped.openMany(nonce, none, new Uint32Array(0), 0)).toThrow(/wiped/)
  })
})
