import { IoClosedError } from '../../errors/io-closed-error.js'
import { failure, type IoPort, type OperationOptions, revoked } from './port.js'
import { Waiters } from './waiters.js'

/** A write crosses to the I/O thread in pieces of at most this many bytes, one after the other. */
const PIECE = 128 * 1024

/**
 * One connection. What it receives is kept up to 256 KiB until it is read; then its peer has to wait, and nobody else.
 * Iterating reads to the peer's end, after which it can still be written to; leaving the loop early closes it.
 */
export class IoStream implements AsyncIterable<Uint8Array>, AsyncDisposable {
  /** The peer, as a number; empty for a Unix socket. */
  readonly host: string
  readonly port: number
  readonly #port: IoPort
  readonly #handle: number
  readonly #incoming: Waiters<Uint8Array>
  #writing: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined
  #revoked = false
  #bytesIn = 0
  #bytesOut = 0

  /** @internal */
  constructor(port: IoPort, handle: number, host = '', portNumber = 0) {
    this.#port = port
    this.#handle = handle
    this.host = host
    this.port = portNumber
    this.#incoming = new Waiters('receive', (bytes) => {
      this.#bytesIn += bytes.length
      if (this.#closing === undefined && !port.closed) port.handle.consume(handle, bytes.length)
    })
    port.receive(handle, {
      onData: (bytes) => this.#incoming.put(bytes),
      onEnd: (errno) => this.#incoming.finish(errno === 0 ? undefined : failure('receive', errno)),
      onRevoked: () => {
        this.#revoked = true
        this.#incoming.revoke(revoked('receive'))
      },
    })
  }

  /** @internal It never came to be. */
  abandon(): void {
    this.#closing = Promise.resolve()
    this.#port.forget(this.#handle)
  }

  /** @internal Whether a policy has taken it away: then everything fails with `EACCES`. */
  get revoked(): boolean {
    return this.#revoked
  }

  /** What was read and written by this side so far. */
  get bytesIn(): number {
    return this.#bytesIn
  }
  get bytesOut(): number {
    return this.#bytesOut
  }

  /** What came next, some bytes of it; `undefined` once the peer has ended. A time-out loses nothing. */
  read(options: OperationOptions = {}): Promise<Uint8Array | undefined> {
    return this.#incoming.take(options)
  }

  /**
   * Resolves when the kernel has taken all of it: wait for it, and a slow peer slows the writer. Writes run one after the
   * other. Given up half-way, some of it may have been sent. The timeout is that of each piece of 128 KiB.
   */
  write(bytes: Uint8Array, options: OperationOptions = {}): Promise<void> {
    const run = this.#writing.then(() => this.#write(bytes, options))
    this.#writing = run.catch(() => {})
    return run
  }

  async #write(bytes: Uint8Array, options: OperationOptions): Promise<void> {
    for (let at = 0; at < bytes.length; at += PIECE) {
      if (this.#closing !== undefined) throw new IoClosedError('send')
      const piece = bytes.subarray(at, at + PIECE)
      await this.#port.run('send', options, (timeout) => this.#port.handle.send(this.#handle, piece, timeout))
      this.#bytesOut += piece.length
    }
  }

  /** Tells the peer that nothing more will be written, once all that was is sent. */
  async end(): Promise<void> {
    await this.#writing
    if (this.#closing !== undefined) throw new IoClosedError('shutdown')
    await this.#port.run('shutdown', {}, () => this.#port.handle.shut(this.#handle))
  }

  /** Sizes of the kernel's buffers, in bytes, as a hint to it. */
  setBuffers({ send, receive }: { readonly send?: number; readonly receive?: number }): void {
    if (this.#closing !== undefined || this.#port.closed) return
    if (send !== undefined) this.#port.handle.setOption(this.#handle, 'sendBuffer', send)
    if (receive !== undefined) this.#port.handle.setOption(this.#handle, 'receiveBuffer', receive)
  }

  /** Gives up what is under way, and closes it. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#incoming.finish(new IoClosedError('receive'), true)
    if (this.#port.closed) return
    this.#port.forget(this.#handle)
    await this.#port.run('close', {}, () => this.#port.handle.close(this.#handle)).catch(ignoreEnd)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    let ended = false
    try {
      for (let bytes = await this.read(); bytes !== undefined; bytes = await this.read()) yield bytes
      ended = true
    } finally {
      if (!ended) await this.close()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Closed together with the thread: closed all the same. */
export function ignoreEnd(error: unknown): void {
  if (!IoClosedError.isInstance(error)) throw error
}
