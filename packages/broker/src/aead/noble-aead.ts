import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import type { Aead, AeadKey } from '@pyisolate/interface'
import { wipe } from '../internal/bytes.js'
import { advance } from './counter.js'
import { KEY_BYTES, NONCE_BYTES, TAG_BYTES } from './sizes.js'

/** The AEAD in TypeScript, which is there everywhere. The library makes a few small objects for each message. */
export const nobleAead: Aead = Object.freeze({
  name: 'noble',
  createKey: (key: Uint8Array): AeadKey => new NobleKey(key),
})

class NobleKey implements AeadKey {
  #key: Uint8Array | undefined
  readonly #nonce = new Uint8Array(NONCE_BYTES)

  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES) throw new RangeError(`a key of ${key.length} bytes`)
    this.#key = Uint8Array.from(key)
  }

  seal(nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array, output: Uint8Array): void {
    chacha20poly1305(this.#live(), nonce, associatedData).encrypt(plaintext, output)
  }

  open(nonce: Uint8Array, associatedData: Uint8Array, sealed: Uint8Array, output: Uint8Array): boolean {
    const key = this.#live()
    if (sealed.length < TAG_BYTES) return false
    // Made outside of the try: what it throws is a mistake of the caller's, no forgery.
    const cipher = chacha20poly1305(key, nonce, associatedData)
    if (output.length !== sealed.length - TAG_BYTES) throw new RangeError(`an output of ${output.length} bytes`)
    try {
      cipher.decrypt(sealed, output)
      return true
    } catch {
      return false
    }
  }

  sealMany(nonce: Uint8Array, buffer: Uint8Array, spans: Uint32Array, count: number): void {
    const key = this.#live()
    this.#nonce.set(nonce)
    for (let at = 0; at < count; at++) {
      const sealed = span(buffer, spans, at)
      if (sealed.length < TAG_BYTES) throw new RangeError('a span without room for its tag')
      chacha20poly1305(key, this.#nonce).encrypt(sealed.subarray(0, -TAG_BYTES), sealed)
      advance(this.#nonce, 1)
    }
  }

  openMany(nonce: Uint8Array, buffer: Uint8Array, spans: Uint32Array, count: number): number {
    const key = this.#live()
    this.#nonce.set(nonce)
    for (let at = 0; at < count; at++) {
      const sealed = span(buffer, spans, at)
      if (sealed.length < TAG_BYTES) return at
      const cipher = chacha20poly1305(key, this.#nonce)
      try {
        cipher.decrypt(sealed, sealed.subarray(0, -TAG_BYTES))
      } catch {
        return at
      }
      advance(this.#nonce, 1)
    }
    return count
  }

  wipe(): void {
    wipe(this.#key)
    this.#key = undefined
  }

  #live(): Uint8Array {
    if (this.#key === undefined) throw new Error('the key is wiped')
    return this.#key
  }
}

/** @throws RangeError for a span that is none, or leaves its buffer */
function span(buffer: Uint8Array, spans: Uint32Array, at: number): Uint8Array {
  const offset = spans[2 * at]!
  const end = offset + spans[2 * at + 1]!
  if (!(end <= buffer.length)) throw new RangeError('a span beyond its buffer')
  return buffer.subarray(offset, end)
}
