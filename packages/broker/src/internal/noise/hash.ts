import { blake2s } from '@noble/hashes/blake2.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { wipe } from '../bytes.js'

/** The hash functions a channel may use; both give 32 bytes. */
export type HashName = 'SHA256' | 'BLAKE2s'

const HASHES = { SHA256: sha256, BLAKE2s: blake2s } as const
export const HASH_BYTES = 32

export class HashFunctions {
  readonly #hash: (typeof HASHES)[HashName]

  constructor(name: HashName) {
    this.#hash = HASHES[name]
  }

  hash(data: Uint8Array): Uint8Array {
    return this.#hash(data)
  }

  hashOf(first: Uint8Array, second: Uint8Array): Uint8Array {
    return this.#hash.create().update(first).update(second).digest()
  }

  /** Noise, section 4.3: HKDF (RFC 5869) with the chaining key as salt and no info, to two or three outputs. */
  hkdf(chainingKey: Uint8Array, material: Uint8Array, outputs: 2 | 3): Uint8Array[] {
    const temporary = hmac(this.#hash, chainingKey, material)
    const made: Uint8Array[] = []
    for (let number = 1; number <= outputs; number++) {
      const mac = hmac.create(this.#hash, temporary)
      if (number > 1) mac.update(made[number - 2]!)
      made.push(mac.update(Uint8Array.of(number)).digest())
    }
    wipe(temporary)
    return made
  }
}
