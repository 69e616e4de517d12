import { createCipheriv, randomBytes } from 'node:crypto'
import type { Aead } from '@pyisolate/interface'
import { describe, expect, it } from 'vitest'

const TAG = 16
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const random = (length: number) => Uint8Array.from(randomBytes(length))

/** 12 bytes: four zeros and the counter, little-endian. */
function nonceOf(counter: bigint): Uint8Array {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setBigUint64(4, counter, true)
  return nonce
}

/** OpenSSL's bytes, which are the right ones. */
function expected(key: Uint8Array, nonce: Uint8Array, associatedData: Uint8Array, text: Uint8Array): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG })
  cipher.setAAD(associatedData, { plaintextLength: text.length })
  return Uint8Array.from(Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]))
}

/** Texts laid out in one buffer, a gap before each: where they are, tag included. */
function layOut(texts: readonly Uint8Array[]): { buffer: Uint8Array; spans: Uint32Array } {
  const buffer = random(texts.reduce((sum, { length }) => sum + length + TAG + 3, 0))
  const spans = new Uint32Array(2 * texts.length)
  let at = 0
  for (const [number, text] of texts.entries()) {
    at += 3
    buffer.set(text, at)
    spans.set([at, text.length + TAG], 2 * number)
    at += text.length + TAG
  }
  return { buffer, spans }
}

const LENGTHS = [0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 1000, 65_516]
const COUNTERS = [0n, 1n, 255n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 64n - 1n]

/** What every `Aead` promises, held to the `node:crypto` of this process. */
export function aeadCompliance(name: string, aead: Aead): void {
  describe(`${name} keeps the promises of Aead`, () => {
    it('seals to the same bytes as OpenSSL, and opens them, apart or in place', () => {
      for (const length of LENGTHS) {
        for (const counter of COUNTERS) {
          const [secret, nonce, data, text] = [random(32), nonceOf(counter), random(length % 40), random(length)]
          const key = aead.createKey(secret)
          const right = expected(secret, nonce, data, text)
          const sealed = new Uint8Array(length + TAG)
          key.seal(nonce, data, text, sealed)
          expect(hex(sealed)).toBe(hex(right))
          const inPlace = Uint8Array.from([...text, ...new Uint8Array(TAG)])
          // Another one of the same: an implementation may refuse to seal under a counter twice.
          const again = aead.createKey(secret)
          again.seal(nonce, data, inPlace.subarray(0, length), inPlace)
          again.wipe()
          expect(hex(inPlace)).toBe(hex(right))
          const opened = new Uint8Array(length)
          expect(key.open(nonce, data, sealed, opened)).toBe(true)
          expect(hex(opened)).toBe(hex(text))
          expect(key.open(nonce, data, inPlace, inPlace.subarray(0, length))).toBe(true)
          expect(hex(inPlace.subarray(0, length))).toBe(hex(text))
          expect(hex(nonce)).toBe(hex(nonceOf(counter)))
          key.wipe()
        }
      }
    })

    it('opens nothing that differs in a bit, has another nonce or other data, or is cut short', () => {
      const [secret, nonce, data, text] = [random(32), nonceOf(5n), random(9), random(70)]
      const key = aead.createKey(secret)
      const sealed = expected(secret, nonce, data, text)
      const output = new Uint8Array(70)
      for (let bit = 0; bit < 8 * sealed.length; bit += 5) {
        const forged = Uint8Array.from(sealed)
        forged[bit >> 3]! ^= 1 << (bit & 7)
        expect(key.open(nonce, data, forged, output)).toBe(false)
      }
      expect(key.open(nonceOf(6n), data, sealed, output)).toBe(false)
      expect(key.open(nonce, data.subarray(1), sealed, output)).toBe(false)
      expect(key.open(nonce, data, sealed.subarray(0, 50), output.subarray(0, 34))).toBe(false)
      expect(key.open(nonce, data, new Uint8Array(TAG - 1), new Uint8Array(0))).toBe(false)
      expect(key.open(nonce, data, sealed, output)).toBe(true)
    })

    it('seals and opens batches in place, and leaves what lies between alone', () => {
      const secret = random(32)
      const key = aead.createKey(secret)
      for (const first of [0n, 254n, 2n ** 32n - 3n]) {
        const texts = LENGTHS.map(random)
        const { buffer, spans } = layOut(texts)
        const gaps = (bytes: Uint8Array) =>
          texts.map((_, at) => hex(bytes.subarray(spans[2 * at]! - 3, spans[2 * at]!)))
        const before = gaps(buffer)
        const nonce = nonceOf(first)
        key.sealMany(nonce, buffer, spans, texts.length)
        for (const [at, text] of texts.entries()) {
          const sealed = buffer.subarray(spans[2 * at]!, spans[2 * at]! + spans[2 * at + 1]!)
          expect(hex(sealed)).toBe(hex(expected(secret, nonceOf(first + BigInt(at)), new Uint8Array(), text)))
        }
        expect(gaps(buffer)).toEqual(before)
        expect(key.openMany(nonce, buffer, spans, texts.length)).toBe(texts.length)
        for (const [at, text] of texts.entries()) {
          expect(hex(buffer.subarray(spans[2 * at]!, spans[2 * at]! + text.length))).toBe(hex(text))
        }
        expect(gaps(buffer)).toEqual(before)
        expect(hex(nonce)).toBe(hex(nonceOf(first)))
      }
    })

    it('takes of spans only as many as it is told, and none', () => {
      const key = aead.createKey(random(32))
      const { buffer, spans } = layOut([random(5), random(6)])
      const before = hex(buffer)
      key.sealMany(nonceOf(0n), buffer, spans, 0)
      expect(key.openMany(nonceOf(0n), buffer, spans, 0)).toBe(0)
      expect(hex(buffer)).toBe(before)
      key.sealMany(nonceOf(0n), buffer, spans, 1)
      expect(hex(buffer.subarray(spans[2]!))).toBe(before.slice(2 * spans[2]!))
    })

    it('says how many of a batch were authentic before the first that is not', () => {
      for (let forged = 0; forged < 4; forged++) {
        const key = aead.createKey(random(32))
        const texts = [10, 0, 300, 20].map(random)
        const { buffer, spans } = layOut(texts)
        key.sealMany(nonceOf(9n), buffer, spans, 4)
        buffer[spans[2 * forged]! + spans[2 * forged + 1]! - 1]! ^= 1
        expect(key.openMany(nonceOf(9n), buffer, spans, 4)).toBe(forged)
        for (let at = 0; at < forged; at++) {
          expect(hex(buffer.subarray(spans[2 * at]!, spans[2 * at]! + texts[at]!.length))).toBe(hex(texts[at]!))
        }
      }
      const key = aead.createKey(random(32))
      expect(key.openMany(nonceOf(0n), new Uint8Array(20), Uint32Array.of(0, TAG - 1), 1)).toBe(0)
    })

    it('copies its key, refuses one of another length, and forgets it when it is told to', () => {
      const secret = random(32)
      const key = aead.createKey(secret)
      const right = expected(secret, nonceOf(0n), new Uint8Array(), new Uint8Array())
      secret.fill(0)
      const sealed = new Uint8Array(TAG)
      key.seal(nonceOf(0n), new Uint8Array(), new Uint8Array(), sealed)
      expect(hex(sealed)).toBe(hex(right))
      key.wipe()
      key.wipe()
      const nothing = new Uint8Array()
      expect(() => key.seal(nonceOf(0n), nothing, nothing, sealed)).toThrow()
      expect(() => key.open(nonceOf(0n), nothing, sealed, nothing)).toThrow()
      expect(() => key.sealMany(nonceOf(0n), sealed, Uint32Array.of(0, TAG), 1)).toThrow()
      expect(() => key.openMany(nonceOf(0n), sealed, Uint32Array.of(0, TAG), 1)).toThrow()
      for (const length of [0, 31, 33]) expect(() => aead.createKey(new Uint8Array(length))).toThrow()
    })

    it('refuses spans and outputs that leave their buffers', () => {
      const key = aead.createKey(random(32))
      const buffer = new Uint8Array(64)
      for (const span of [
        [60, 20],
        [0, 65],
        [0xffff_fff0, 32],
        [0, TAG - 1],
      ]) {
        expect(() => key.sealMany(nonceOf(0n), buffer, Uint32Array.from(span), 1), String(span)).toThrow()
      }
      expect(() => key.sealMany(nonceOf(0n), buffer, Uint32Array.of(0, 20), 2)).toThrow()
      const nothing = new Uint8Array()
      expect(() => key.seal(nonceOf(0n), nothing, new Uint8Array(5), new Uint8Array(20))).toThrow()
      expect(() => key.seal(new Uint8Array(11), nothing, nothing, new Uint8Array(TAG))).toThrow()
    })
  })
}
