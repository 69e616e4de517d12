import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { type ByteReader, type ByteStream, MAX_CHUNK } from './byte-stream.js'

/** A connected TCP or Unix socket as a byte stream, which then owns it. Nobody else may read from it. */
export function socketStream(socket: Socket): ByteStream {
  return new SocketStream(socket)
}

/** Connects to `{ path }` or `{ host, port }`. @throws the socket's error, or `signal.reason` */
export async function connectStream(
  to: NetConnectOpts,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<ByteStream> {
  signal?.throwIfAborted()
  const socket = connect({ noDelay: true, ...to })
  await new Promise<void>((resolve, reject) => {
    const abort = () => settle(signal!.reason)
    const settle = (error?: unknown) => {
      signal?.removeEventListener('abort', abort)
      socket.off('error', settle)
      if (error === undefined) return resolve()
      socket.destroy()
      reject(error)
    }
    signal?.addEventListener('abort', abort, { once: true })
    socket.once('error', settle)
    socket.once('connect', () => settle())
  })
  return socketStream(socket)
}

class SocketStream implements ByteStream {
  readonly #socket: Socket
  #reader: ByteReader | undefined
  #error: Error | undefined
  #paused = false
  /** Of a chunk that was too large for one call, what a paused reader has not taken. */
  #rest: Buffer | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    // From the beginning: an error that nobody listens to would end the program.
    socket.on('error', (error) => this.#fail(error))
  }

  start(reader: ByteReader): void {
    this.#reader = reader
    const socket = this.#socket
    if (this.#error !== undefined || socket.destroyed) {
      queueMicrotask(() => this.#fail(this.#error ?? new Error('the socket is closed')))
      return
    }
    socket.on('data', (chunk: Buffer) => this.#deliver(chunk))
    socket.on('end', () => this.#over()?.end())
    socket.on('close', () => this.#fail(new Error('the socket was closed')))
  }

  write(bytes: Uint8Array, done: (error?: Error | null) => void): void {
    this.#socket.write(bytes, done)
  }

  pause(): void {
    this.#paused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    // The rest first, and on a stack of its own.
    if (this.#rest === undefined) this.#socket.resume()
    else queueMicrotask(() => this.#deliver(undefined))
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#reader = undefined
    this.#socket.destroy()
  }

  #deliver(fresh: Buffer | undefined): void {
    const chunk = fresh ?? this.#rest
    if (chunk === undefined) return
    this.#rest = undefined
    let at = 0
    while (at < chunk.length && !this.#paused && this.#reader !== undefined) {
      const end = Math.min(at + MAX_CHUNK, chunk.length)
      this.#reader.data(chunk.subarray(at, end))
      at = end
    }
    if (at < chunk.length) this.#rest = chunk.subarray(at)
    else if (!this.#paused && this.#socket.isPaused()) this.#socket.resume()
  }

  #fail(error: Error): void {
    this.#error ??= error
    this.#over()?.fail(error)
  }

  /** The reader, for its last call. */
  #over(): ByteReader | undefined {
    const reader = this.#reader
    this.#reader = undefined
    return reader
  }
}
