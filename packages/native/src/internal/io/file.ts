import { IoClosedError } from '../../errors/io-closed-error.js'
import { ignoreEnd } from './endpoint.js'
import type { IoPort, OperationOptions } from './port.js'

const PIECE = 128 * 1024

/** A file, read and written at positions. */
export class IoFile implements AsyncDisposable {
  readonly #port: IoPort
  readonly #handle: number
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(port: IoPort, handle: number) {
    this.#port = port
    this.#handle = handle
  }

  /** Up to `length` bytes (at most 64 MiB) from `position` on; fewer at the end, none behind it. */
  async read(position: number, length: number, options: OperationOptions = {}): Promise<Uint8Array> {
    const { bytes } = await this.#run('read', options, (timeout) =>
      this.#port.handle.read(this.#handle, position, length, timeout),
    )
    return bytes!
  }

  /** Writes all of it from `position` on. The timeout is that of each piece of 128 KiB. */
  async write(position: number, bytes: Uint8Array, options: OperationOptions = {}): Promise<void> {
    for (let at = 0; at < bytes.length; at += PIECE) {
      const piece = bytes.subarray(at, at + PIECE)
      await this.#run('write', options, (timeout) =>
        this.#port.handle.write(this.#handle, position + at, piece, timeout),
      )
    }
  }

  /** From `position` to the end, in pieces: the next is read when the last was taken. */
  async *stream(position = 0, options: OperationOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = position; ; ) {
      const bytes = await this.read(at, PIECE, options)
      if (bytes.length === 0) return
      yield bytes
      at += bytes.length
    }
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#port.closed
      ? Promise.resolve()
      : this.#port.run('close', {}, () => this.#port.handle.close(this.#handle)).then(() => {}, ignoreEnd)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #run(operation: string, options: OperationOptions, start: (timeout: number) => number) {
    if (this.#closing !== undefined) return Promise.reject(new IoClosedError(operation))
    return this.#port.run(operation, options, start)
  }
}
