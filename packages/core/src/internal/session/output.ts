import { Readable } from 'node:stream'

/**
 * stdout or stderr of a sandbox, as text. The stream is made when someone first asks for it and then has
 * everything from the start; until then chunks are only kept. The caller bounds how much that can be.
 */
export class Output {
  #chunks: Uint8Array[] = []
  #ended = false
  #stream: Readable | undefined
  #scheduled = false

  /** Reading it neither slows the guest nor keeps the process alive. */
  get stream(): Readable {
    if (this.#stream === undefined) {
      // The encoding makes a decoder that holds back a character cut in two until the rest of it arrives.
      this.#stream = new Readable({ encoding: 'utf8', read: () => {} })
      this.#schedule()
    }
    return this.#stream
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#schedule()
  }

  end(): void {
    this.#ended = true
    this.#schedule()
  }

  /** In a turn of its own, so that what a listener throws is the program's matter, not the sandbox's. */
  #schedule(): void {
    if (this.#stream === undefined || this.#scheduled) return
    this.#scheduled = true
    process.nextTick(() => this.#flush(this.#stream!))
  }

  #flush(stream: Readable): void {
    this.#scheduled = false
    const chunks = this.#chunks
    this.#chunks = []
    if (stream.destroyed) return
    for (const chunk of chunks) stream.push(chunk)
    if (this.#ended) stream.push(null)
  }
}
