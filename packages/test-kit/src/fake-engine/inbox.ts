/** Beside its payload, as engines count a message. */
const overhead = 128

/**
 * Messages on their way to a fake guest: as many as an engine lets it have untaken, four rings full or a single one; the
 * others wait, as on the host's side.
 */
export class Inbox {
  readonly #ring: number
  readonly #onDrain: () => void
  readonly #messages: Uint8Array[] = []
  readonly #held: Uint8Array[] = []
  #ahead = 0
  #heldBytes = 0
  #asked = false
  #wake: (() => void) | undefined

  constructor(ringBytes: number, onDrain: () => void) {
    this.#ring = ringBytes
    this.#onDrain = onDrain
  }

  /** `false`: wait for `onDrain`. */
  put(message: Uint8Array): boolean {
    this.#held.push(message)
    this.#heldBytes += message.length
    this.#release()
    if (message.length <= this.#ring && this.#heldBytes <= this.#ring) return true
    this.#asked = true
    if (this.#held.length === 0) this.#drained()
    return false
  }

  /** Of several that wait, by giving up and asking again, the last one is served. */
  async take(): Promise<Uint8Array> {
    while (this.#messages.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const message = this.#messages.shift()!
    this.#ahead -= message.length + overhead
    this.#release()
    return message
  }

  #release(): void {
    for (let next = this.#held[0]; next !== undefined; next = this.#held[0]) {
      const cost = next.length + overhead
      if (this.#ahead > 0 && this.#ahead + cost > 4 * this.#ring) return
      this.#held.shift()
      this.#heldBytes -= next.length
      this.#ahead += cost
      this.#messages.push(next)
      this.#wake?.()
    }
    if (this.#asked) this.#drained()
  }

  #drained(): void {
    this.#asked = false
    setImmediate(this.#onDrain)
  }
}
