import { IoClosedError } from '../../errors/io-closed-error.js'
import { failure, type IoPort, type OperationOptions, revoked } from './port.js'
import { IoStream, ignoreEnd } from './stream.js'
import { Waiters } from './waiters.js'

/** Takes connections, and lets those beyond its `window` wait in the kernel. Iterating accepts until it is closed. */
export class IoListener implements AsyncIterable<IoStream>, AsyncDisposable {
  /** Where it listens: a number and a port, or a Unix socket's path and 0. */
  host = ''
  port = 0
  readonly #port: IoPort
  readonly #handle: number
  readonly #incoming: Waiters<IoStream>
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(port: IoPort, handle: number) {
    this.#port = port
    this.#handle = handle
    this.#incoming = new Waiters('accept', () => {
      if (this.#closing === undefined && !port.closed) port.handle.consume(handle, 1)
    })
    port.receive(handle, {
      onAccepted: (stream, peer, number) => this.#incoming.put(new IoStream(port, stream, peer, number)),
      onEnd: (errno) => this.#incoming.finish(failure('accept', errno)),
      onRevoked: () => {
        for (const stream of this.#incoming.revoke(revoked('accept'))) void stream.close()
      },
    })
  }

  /** @internal */
  bound(host: string, port: number): void {
    this.host = host
    this.port = port
  }

  /** @internal It never came to be. */
  abandon(): void {
    this.#port.forget(this.#handle)
  }

  /** The next connection. @throws IoTimeoutError, IoClosedError, IoError, or `signal.reason` */
  async accept(options: OperationOptions = {}): Promise<IoStream> {
    return (await this.#incoming.take(options))!
  }

  /** Closes it, and what nobody has accepted. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (!this.#port.closed) {
      await this.#port.run('close', {}, () => this.#port.handle.close(this.#handle)).catch(ignoreEnd)
      // Only now: what was accepted before it was closed has been reported.
      this.#port.forget(this.#handle)
    }
    const dropped = this.#incoming.finish(new IoClosedError('accept'), true)
    await Promise.all(dropped.map((stream) => stream.close()))
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<IoStream, void, undefined> {
    try {
      for (;;) yield await this.accept()
    } catch (error) {
      ignoreEnd(error)
    } finally {
      await this.close()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
