/** Bits in a block of the ring. */
const BLOCK = 32

/**
 * Which numbers have come, of the latest ones (RFC 6479): a ring of blocks, of which one more than the window needs is
 * there, so that moving on clears whole blocks instead of shifting bits.
 */
export class ReplayWindow {
  readonly #size: number
  readonly #blocks: Uint32Array
  #latest = -1

  /** `size`: how far a number may be behind the latest one. */
  constructor(size: number) {
    this.#size = size
    this.#blocks = new Uint32Array(Math.ceil(size / BLOCK) + 1)
  }

  /** Whether the number can be told not to have come yet. */
  isNew(number: number): boolean {
    if (number > this.#latest) return true
    if (this.#latest - number >= this.#size) return false
    return (this.#blocks[this.#blockOf(number)]! & (1 << (number % BLOCK))) === 0
  }

  /** Only for a number that is new, and whose datagram was authentic. */
  mark(number: number): void {
    if (number > this.#latest) {
      const first = Math.floor(Math.max(this.#latest, 0) / BLOCK) + 1
      const last = Math.floor(number / BLOCK)
      const skipped = Math.min(last - first + 1, this.#blocks.length)
      for (let at = 0; at < skipped; at++) this.#blocks[(last - at) % this.#blocks.length] = 0
      this.#latest = number
    }
    this.#blocks[this.#blockOf(number)]! |= 1 << (number % BLOCK)
  }

  #blockOf(number: number): number {
    return Math.floor(number / BLOCK) % this.#blocks.length
  }
}
