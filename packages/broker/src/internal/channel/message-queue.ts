/** Messages that wait to be taken, in order: places in the inbox's buffer, or messages with a buffer of their own. */
export class MessageQueue {
  readonly #most: number
  /** Offset and length of each, in a ring; an offset of `WHOLE` stands for the next of `#wholes`. */
  #ring = new Uint32Array(32)
  #first = 0
  #count = 0
  readonly #wholes: Uint8Array[] = []
  wholeBytes = 0

  constructor(most: number) {
    this.#most = most
  }

  get length(): number {
    return this.#count
  }

  get room(): number {
    return this.#most - this.#count
  }

  get isFull(): boolean {
    return this.#count >= this.#most
  }

  push(offset: number, length: number): void {
    const places = this.#ring.length / 2
    if (this.#count === places) this.#grow(places)
    const at = 2 * ((this.#first + this.#count) % (this.#ring.length / 2))
    this.#ring[at] = offset
    this.#ring[at + 1] = length
    this.#count++
  }

  pushWhole(message: Uint8Array): void {
    this.#wholes.push(message)
    this.wholeBytes += message.length
    this.push(WHOLE, 0)
  }

  shift(buffer: Uint8Array): Uint8Array | undefined {
    if (this.#count === 0) return undefined
    const offset = this.#ring[2 * this.#first]!
    const length = this.#ring[2 * this.#first + 1]!
    this.#first = (this.#first + 1) % (this.#ring.length / 2)
    this.#count--
    if (offset !== WHOLE) return buffer.subarray(offset, offset + length)
    const whole = this.#wholes.shift()!
    this.wholeBytes -= whole.length
    return whole
  }

  clear(): void {
    for (const whole of this.#wholes.splice(0)) whole.fill(0)
    this.wholeBytes = 0
    this.#count = 0
  }

  #grow(places: number): void {
    const grown = new Uint32Array(4 * places)
    for (let i = 0; i < places; i++) {
      const from = 2 * ((this.#first + i) % places)
      grown[2 * i] = this.#ring[from]!
      grown[2 * i + 1] = this.#ring[from + 1]!
    }
    this.#ring = grown
    this.#first = 0
  }
}

const WHOLE = 0xffff_ffff
