import type { CipherState } from '../noise/cipher-state.js'
import { FRAME_HEADER, type FrameKind, MAX_FRAME, MIN_BODY, writeBody } from './frame.js'

/** Frames that are sealed by one call. */
export const MAX_BATCH = 256
const FIRST_BYTES = 4096

/** Frames on their way out, in one buffer, which is used again and again. Grows to what its channel may hold. */
export class FrameBuffer {
  #bytes = new Uint8Array(FIRST_BYTES)
  readonly #most: number
  readonly #spans = new Uint32Array(2 * MAX_BATCH)
  #count = 0
  #used = 0

  constructor(most: number) {
    this.#most = most
  }

  get isEmpty(): boolean {
    return this.#used === 0
  }

  /** Whether a frame fits whose payload is padded to so many bytes. Grows if it may. */
  hasRoom(padded: number): boolean {
    if (this.#count === MAX_BATCH) return false
    const needed = this.#used + FRAME_HEADER + MIN_BODY + padded
    if (needed > this.#most) return false
    if (needed > this.#bytes.length) this.#grow(needed)
    return true
  }

  /** Only after `hasRoom` has said so. */
  add(kind: FrameKind, bytes: Uint8Array, from: number, to: number, padded: number): void {
    const at = this.#used + FRAME_HEADER
    const length = writeBody(this.#bytes, at, kind, bytes, from, to, padded)
    this.#bytes[this.#used] = length >>> 8
    this.#bytes[this.#used + 1] = length & 0xff
    this.#spans[2 * this.#count] = at
    this.#spans[2 * this.#count + 1] = length
    this.#count++
    this.#used = at + length
  }

  get count(): number {
    return this.#count
  }

  /** Seals what was added, and gives it; with `marker` the peer is told to take its next key afterwards. */
  seal(cipher: CipherState, marker: boolean): Uint8Array {
    if (this.#count > 0) cipher.sealMany(this.#bytes, this.#spans, this.#count)
    if (marker) {
      if (this.#used + FRAME_HEADER > this.#bytes.length) this.#grow(this.#used + FRAME_HEADER)
      this.#bytes.fill(0, this.#used, this.#used + FRAME_HEADER)
      this.#used += FRAME_HEADER
    }
    return this.#bytes.subarray(0, this.#used)
  }

  /** What was written is sealed, and no secret. */
  clear(): void {
    this.#count = 0
    this.#used = 0
  }

  wipe(): void {
    this.#bytes.fill(0)
    this.clear()
  }

  #grow(needed: number): void {
    const most = this.#most + MAX_FRAME
    const grown = new Uint8Array(Math.min(most, Math.max(needed, 2 * this.#bytes.length)))
    grown.set(this.#bytes.subarray(0, this.#used))
    this.#bytes.fill(0)
    this.#bytes = grown
  }
}
