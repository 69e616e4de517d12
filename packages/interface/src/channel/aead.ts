/**
 * ChaCha20-Poly1305 as of RFC 8439, from whoever has a fast one. All implementations give the same bytes, and run the
 * compliance suite of the test kit.
 */
export interface Aead {
  /** For people. */
  readonly name: string
  /** A key of 32 bytes, which is copied: the caller may wipe its own. */
  createKey(key: Uint8Array): AeadKey
}

/**
 * One key. Nonces are 12 bytes: four zeros, then a counter of 64 bits, little-endian, as in Noise (revision 34, section
 * 12.3). Whoever calls keeps the counters; an implementation must change neither nonce nor associated data, and may
 * refuse, by a `RangeError`, to seal under a counter that isn't after all those it has sealed under.
 *
 * Nothing here may keep a reference to a buffer after it has returned.
 */
export interface AeadKey {
  /** Writes ciphertext and tag to `output`, which has `plaintext.length + 16` bytes and may begin with `plaintext`. */
  seal(nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array, output: Uint8Array): void
  /**
   * Writes the plaintext to `output`, which has `sealed.length - 16` bytes and may be the beginning of `sealed`.
   * `false`: not authentic; `output` then holds nothing that may be used.
   */
  open(nonce: Uint8Array, associatedData: Uint8Array, sealed: Uint8Array, output: Uint8Array): boolean
  /**
   * Seals `count` texts in place, without associated data: the first under `nonce`, each next under the counter's next
   * value. `spans` has an offset and a length in `buffer` for each, tag included.
   */
  sealMany(nonce: Uint8Array, buffer: Uint8Array, spans: Uint32Array, count: number): void
  /**
   * Opens `count` texts in place, in the same layout, and stops at the first one that isn't authentic. Gives the number
   * of those before it; what `buffer` holds from there on may not be used.
   */
  openMany(nonce: Uint8Array, buffer: Uint8Array, spans: Uint32Array, count: number): number
  /** Overwrites the key; every other method throws from then on. Idempotent. */
  wipe(): void
}
