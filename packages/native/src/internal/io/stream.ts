import { IoClosedError } from '../../errors/io-closed-error.js'
import { IoEndpoint } from './endpoint.js'
import { failure, type IoPort, type OperationOptions } from './port.js'

/** A write crosses to the I/O thread in pieces of at most this many bytes, one after the other. */
const PIECE = 128 * 1024

/**
 * One connection. What it receives is kept up to 256 KiB until it is read; then its peer has to wait, and nobody else.
 * Iterating reads to the peer's end, after which it can still be written to; leaving the loop early closes it.
 */
export class IoStream extends IoEndpoint<Uint8Array> implements AsyncIterable<Uint8Array> {
  /** The peer, as a number; empty for a Unix socket. */
  readonly host: string
  readonly port: number
  #writing: Promise<unknown> = Promise.resolve()
  #bytesIn = 0
  #bytesOut = 0

  /** @internal */
  constructor(io: IoPort, handle: number, host = '', port = 0) {
    super(io, handle, 'receive', (incoming) => ({
      onData: (bytes) => incoming.put(bytes),
      onEnd: (errno) => incoming.finish(errno === 0 ? undefined : failure('receive', errno)),
    }))
    this.host = host
    this.port = port
  }

  protected override taken({ length }: Uint8Array): number {
    this.#bytesIn += length
    return length
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
    return this.incoming.take(options)
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
      if (this.closing) throw new IoClosedError('send')
      const piece = bytes.subarray(at, at + PIECE)
      await this.io.run('send', options, (timeout) => this.io.handle.send(this.handle, piece, timeout))
      this.#bytesOut += piece.length
    }
  }

  /** Tells the peer that nothing more will be written, once all that was is sent. */
  async end(): Promise<void> {
    await this.#writing
    if (this.closing) throw new IoClosedError('shutdown')
    await this.io.run('shutdown', {}, () => this.io.handle.shut(this.handle))
  }

  /** Sizes of the kernel's buffers, in bytes, as a hint to it. */
  setBuffers({ send, receive }: { readonly send?: number; readonly receive?: number }): void {
    if (this.closing || this.io.closed) return
    if (send !== undefined) this.io.handle.setOption(this.handle, 'sendBuffer', send)
    if (receive !== undefined) this.io.handle.setOption(this.handle, 'receiveBuffer', receive)
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
}
