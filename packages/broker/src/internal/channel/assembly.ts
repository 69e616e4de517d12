import { NO_BYTES } from '../bytes.js'

const FIRST_BYTES = 131_072

/** A message that comes in parts. Takes memory as they come, never because somebody says how many there will be. */
export class Assembly {
  readonly #most: number
  #bytes: Uint8Array = NO_BYTES
  #used = 0
  #begun = false

  constructor(most: number) {
    this.#most = most
  }

  get isEmpty(): boolean {
    return !this.#begun
  }

  /** `false`: the message is too long. */
  add(part: Uint8Array): boolean {
    this.#begun = true
    const needed = this.#used + part.length
    if (needed > this.#most) return false
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(this.#most, Math.max(needed, 2 * this.#bytes.length, FIRST_BYTES)))
      grown.set(this.#bytes.subarray(0, this.#used))
      this.#bytes.fill(0)
      this.#bytes = grown
    }
    this.#bytes.set(part, this.#used)
    this.#used = needed
    return true
  }

  /** The message, which is the taker's now. */
  finish(): Uint8Array {
    const whole = this.#bytes.subarray(0, this.#used)
    this.#bytes = NO_BYTES
    this.#used = 0
    this.#begun = false
    return whole
  }

  wipe(): void {
    this.#bytes.fill(0)
  }
}
