import type { Frame } from '@pyisolate/interface'

const headerBytes = 16

/**
 * The ring from a fake guest to its host: delivers in turns of the event loop, in order, and holds as much
 * as a ring would, so that a writer waits while its host is paused.
 */
export class Link {
  readonly #capacity: number
  readonly #deliver: (frame: Frame) => void
  readonly #queue: { frame: Frame; bytes: number }[] = []
  #bytes = 0
  #paused = false
  #scheduled = false
  #writers: (() => void)[] = []

  constructor(capacity: number, deliver: (frame: Frame) => void) {
    this.#capacity = capacity
    this.#deliver = deliver
  }

  /** Resolves when the frame, or its last piece, is in the ring. */
  async write(frame: Frame): Promise<void> {
    const bytes = frame.payload.length + headerBytes
    this.#queue.push({ frame, bytes })
    this.#bytes += bytes
    this.#schedule()
    while (this.#bytes > this.#capacity) await new Promise<void>((resolve) => this.#writers.push(resolve))
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  /** Delivers what is left at once: its guest is dead. */
  drain(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#deliver(next.frame)
    this.#bytes = 0
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      // One by one: a frame may make its host pause.
      while (!this.#paused) {
        const next = this.#queue.shift()
        if (next === undefined) break
        this.#bytes -= next.bytes
        this.#deliver(next.frame)
      }
      const writers = this.#writers
      this.#writers = []
      for (const wake of writers) wake()
    })
  }
}
