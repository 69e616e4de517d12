import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { Aead, AeadKey } from '@pyisolate/interface'
import { advance } from '../../src/aead/counter.js'

const TAG = 16
const NAME = 'chacha20-poly1305'
const OPTIONS = { authTagLength: TAG } as const

/** The same cipher by OpenSSL, through Node: to cross-check with, and as an example of an implementation. */
export function opensslAead(): { aead: Aead; batches: number[] } {
  const batches: number[] = []
  return { aead: { name: 'openssl', createKey: (key) => new OpensslKey(key, batches) }, batches }
}

class OpensslKey implements AeadKey {
  #key: Uint8Array | undefined
  readonly #batches: number[]

  constructor(key: Uint8Array, batches: number[]) {
    if (key.length !== 32) throw new RangeError('a key of another length')
    this.#key = Uint8Array.from(key)
    this.#batches = batches
  }

  seal(nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array, output: Uint8Array): void {
    if (output.length !== plaintext.length + TAG) throw new RangeError('an output of another length')
    const cipher = createCipheriv(NAME, this.#live(), nonce, OPTIONS)
    cipher.setAAD(associatedData, { plaintextLength: plaintext.length })
    output.set(cipher.update(plaintext))
    cipher.final()
    output.set(cipher.getAuthTag(), plaintext.length)
  }

  open(nonce: Uint8Array, associatedData: Uint8Array, sealed: Uint8Array, output: Uint8Array): boolean {
    const key = this.#live()
    if (sealed.length < TAG) return false
    const decipher = createDecipheriv(NAME, key, nonce, OPTIONS)
    decipher.setAAD(associatedData, { plaintextLength: sealed.length - TAG })
    decipher.setAuthTag(sealed.subarray(-TAG))
    output.set(decipher.update(sealed.subarray(0, -TAG)))
    try {
      decipher.final()
      return true
    } catch {
      return false
    }
  }

  sealMany(nonce: Uint8Array, buffer: Uint8Array, spans: Uint32Array, count: number): void {
    this.#live()
    this.#batches.push(count)
    const each = Uint8Array.from(nonce)
    for (let at = 0; at < count; at++) {
      const span = spanOf(buffer, spans, at)
      this.seal(each, new Uint8Array(), span.subarray(0, -TAG), span)
      advance(each, 1)
    }
  }

  openMany(nonce: Uint8Array, buffer: Uint8Array, spans: Uint32Array, count: number): number {
    this.#live()
    this.#batches.push(count)
    const each = Uint8Array.from(nonce)
    for (let at = 0; at < count; at++) {
      const span = buffer.subarray(spans[2 * at]!, spans[2 * at]! + spans[2 * at + 1]!)
      if (!this.open(each, new Uint8Array(), span, span)) return at
      advance(each, 1)
    }
    return count
  }

  wipe(): void {
    this.#key?.fill(0)
    this.#key = undefined
  }

  #live(): Uint8Array {
    if (this.#key === undefined) throw new Error('the key is wiped')
    return this.#key
  }
}

function spanOf(buffer: Uint8Array, spans: Uint32Array, at: number): Uint8Array {
  const [offset, length] = [spans[2 * at], spans[2 * at + 1]]
  if (offset === undefined || length === undefined || length < TAG || offset + length > buffer.length) {
    throw new RangeError('a span beyond its buffer')
  }
  return buffer.subarray(offset, offset + length)
}
