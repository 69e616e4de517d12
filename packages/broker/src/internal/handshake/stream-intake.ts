import { HandshakeError } from '../../errors/handshake-error.js'
import type { ByteReader, ByteStream } from '../../transports/byte-stream.js'

/** More than two of the longest handshake messages, and never less than a chunk is let in for. */
const MOST_BYTES = 262_144
const PAUSE_BYTES = 131_072

/** Reads a stream by lengths while the handshake lasts, and hands what is left to the channel after it. */
export class StreamIntake implements ByteReader {
  readonly #stream: ByteStream
  #bytes = new Uint8Array(0)
  #paused = false
  #over: HandshakeError | undefined
  #wanted: { length: number; resolve: (bytes: Uint8Array) => void; reject: (error: unknown) => void } | undefined
  #next: ByteReader | undefined
  #lingering: Promise<void> | undefined
  #last: ((reader: ByteReader) => void) | undefined

  constructor(stream: ByteStream) {
    this.#stream = stream
  }

  /** The next bytes, so many. @throws HandshakeError `transport` */
  read(length: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#wanted = { length, resolve, reject }
      this.#serve()
    })
  }

  /** Set once the stream has to stay for a while, for the peer to read why it is refused. */
  get lingering(): Promise<void> | undefined {
    return this.#lingering
  }

  /** Drops what comes until the peer ends, so many milliseconds at most. */
  linger(ms: number): void {
    this.#lingering = new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      const stop = () => {
        clearTimeout(timer)
        resolve()
      }
      this.#next = { data: () => {}, end: stop, fail: stop }
      if (this.#over !== undefined) stop()
    })
  }

  /** Whoever waits is told. */
  abort(error: unknown): void {
    this.#wanted?.reject(error)
    this.#wanted = undefined
  }

  /** What came already goes to `reader`, and all that follows. */
  handOver(reader: ByteReader): void {
    this.#next = reader
    const rest = this.#bytes
    this.#bytes = new Uint8Array(0)
    if (this.#paused) {
      this.#paused = false
      this.#stream.resume()
    }
    for (let at = 0; at < rest.length; at += 65_536) reader.data(rest.subarray(at, at + 65_536))
    this.#last?.(reader)
  }

  data(bytes: Uint8Array): void {
    if (this.#next !== undefined) {
      this.#next.data(bytes)
      return
    }
    if (this.#bytes.length + bytes.length > MOST_BYTES) {
      this.fail(new Error('the transport sends faster than it was told to'))
      return
    }
    const all = new Uint8Array(this.#bytes.length + bytes.length)
    all.set(this.#bytes)
    all.set(bytes, this.#bytes.length)
    this.#bytes = all
    this.#serve()
    if (this.#bytes.length <= PAUSE_BYTES || this.#paused) return
    this.#paused = true
    this.#stream.pause()
  }

  end(): void {
    if (this.#next !== undefined) {
      this.#next.end()
      return
    }
    this.#stop(new HandshakeError('transport', 'the peer went away'), (reader) => reader.end())
  }

  fail(error: Error): void {
    if (this.#next !== undefined) {
      this.#next.fail(error)
      return
    }
    this.#stop(new HandshakeError('transport', 'the transport failed', { cause: error }), (reader) =>
      reader.fail(error),
    )
  }

  #stop(error: HandshakeError, last: (reader: ByteReader) => void): void {
    this.#over ??= error
    this.#last ??= last
    this.#serve()
  }

  #serve(): void {
    const wanted = this.#wanted
    if (wanted === undefined) return
    if (this.#bytes.length >= wanted.length) {
      this.#wanted = undefined
      const taken = this.#bytes.slice(0, wanted.length)
      this.#bytes = this.#bytes.slice(wanted.length)
      wanted.resolve(taken)
    } else if (this.#over !== undefined) this.abort(this.#over)
  }
}
