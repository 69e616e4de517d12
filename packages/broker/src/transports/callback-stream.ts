import { type ByteReader, type ByteStream, MAX_CHUNK } from './byte-stream.js'

/** What carries bytes by calls, as a sandbox's ring does. */
export interface BytePort {
  /** Copies the bytes, and never drops them. `false`: please wait for `drained` before more. */
  send(bytes: Uint8Array): boolean
  /** No `push` from now on until `resume`; one that is under way may still come. */
  pause(): void
  resume(): void
  /** No more will be sent; what was sent still arrives. */
  end(): void
  /** Both directions are over, now. */
  destroy(): void
}

/** The side of such a stream that its owner drives. */
export interface BytePortDriver {
  readonly stream: ByteStream
  /** Bytes have come, any number of them; they are copied or used up when this returns. */
  push(bytes: Uint8Array): void
  /** The port takes more. */
  drained(): void
  ended(): void
  failed(error: Error): void
}

/** A stream over a port: how a channel runs over the frames of a sandbox. */
export function callbackStream(port: BytePort): BytePortDriver {
  const stream = new CallbackStream(port)
  return {
    stream,
    push: (bytes) => stream.push(bytes),
    drained: () => stream.drained(),
    ended: () => stream.over((reader) => reader.end()),
    failed: (error) => stream.over((reader) => reader.fail(error)),
  }
}

class CallbackStream implements ByteStream {
  readonly #port: BytePort
  #reader: ByteReader | undefined
  #paused = false
  #destroyed = false
  /** What came before there was a reader, or while it was paused: what was under way then, and no more. */
  #kept: Uint8Array[] = []
  #waiting: (() => void) | undefined
  #last: ((reader: ByteReader) => void) | undefined
  #scheduled = false

  constructor(port: BytePort) {
    this.#port = port
  }

  start(reader: ByteReader): void {
    this.#reader = reader
    this.#schedule()
  }

  write(bytes: Uint8Array, done: (error?: Error | null) => void): void {
    if (this.#port.send(bytes)) done()
    else this.#waiting = done
  }

  pause(): void {
    this.#paused = true
    this.#port.pause()
  }

  resume(): void {
    this.#paused = false
    if (this.#kept.length > 0 || this.#last !== undefined) this.#schedule()
    this.#port.resume()
  }

  end(): void {
    this.#port.end()
  }

  destroy(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.#kept = []
    this.#port.destroy()
  }

  push(bytes: Uint8Array): void {
    if (this.#destroyed) return
    if (this.#kept.length > 0) this.#kept.push(Uint8Array.from(bytes))
    else {
      const taken = this.#deliver(bytes)
      if (taken < bytes.length) this.#kept.push(bytes.slice(taken))
    }
  }

  drained(): void {
    const done = this.#waiting
    this.#waiting = undefined
    done?.()
  }

  over(last: (reader: ByteReader) => void): void {
    this.#last ??= last
    this.#finish()
  }

  /** How many of the bytes the reader took. */
  #deliver(bytes: Uint8Array): number {
    let at = 0
    while (at < bytes.length && this.#reader !== undefined && !this.#paused && !this.#destroyed) {
      const chunk = bytes.subarray(at, at + MAX_CHUNK)
      at += chunk.length
      this.#reader.data(chunk)
    }
    return at
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      while (this.#kept.length > 0) {
        const bytes = this.#kept[0]!
        const taken = this.#deliver(bytes)
        if (taken < bytes.length) {
          this.#kept[0] = bytes.subarray(taken)
          return
        }
        this.#kept.shift()
      }
      this.#finish()
    })
  }

  #finish(): void {
    if (this.#last === undefined || this.#reader === undefined || this.#kept.length > 0 || this.#destroyed) return
    const reader = this.#reader
    this.#reader = undefined
    this.#last(reader)
  }
}
