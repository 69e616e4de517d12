import { IoClosedError } from '../../errors/io-closed-error.js'
import type { CellHandle } from '../addon.js'
import { failure, type IoPort, type OperationOptions, revoked } from './port.js'
import { ignoreEnd } from './stream.js'
import { Waiters } from './waiters.js'

/** One datagram, and where it is from or to: a number and a port. */
export interface IoDatagram {
  readonly bytes: Uint8Array
  readonly host: string
  readonly port: number
}

/** As the addon counts it. */
const EACH = 64

/**
 * A UDP socket. What it receives is kept up to its window (64 KiB for a guest's, else 256 KiB) until it is taken; what
 * comes then is the kernel's to keep or to drop, as datagrams are. Iterating receives until it is closed.
 */
export class IoDatagrams implements AsyncIterable<IoDatagram>, AsyncDisposable {
  /** Where it is bound: a number and a port; the port is 0 before the first `send` of one that wasn't. */
  host = ''
  port = 0
  readonly #port: IoPort
  readonly #handle: number
  readonly #cell: CellHandle | undefined
  readonly #incoming: Waiters<IoDatagram>
  #closing: Promise<void> | undefined
  #revoked = false

  /** @internal `cell`: whose policy rules what is sent */
  constructor(port: IoPort, handle: number, cell?: CellHandle) {
    this.#port = port
    this.#handle = handle
    this.#cell = cell
    this.#incoming = new Waiters('receive', ({ bytes }) => {
      if (this.#closing === undefined && !port.closed) port.handle.consume(handle, bytes.length + EACH)
    })
    port.receive(handle, {
      onDatagram: (bytes, host, number) => this.#incoming.put({ bytes, host, port: number }),
      onEnd: (errno) => this.#incoming.finish(failure('receive', errno)),
      onRevoked: () => {
        this.#revoked = true
        this.#incoming.revoke(revoked('receive'))
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
    this.#closing = Promise.resolve()
    this.#port.forget(this.#handle)
  }

  /** @internal Whether a policy has taken it away: then everything fails with `EACCES`. */
  get revoked(): boolean {
    return this.#revoked
  }

  /** The next one. A time-out loses nothing. @throws IoTimeoutError, IoClosedError, IoError, or `signal.reason` */
  async receive(options: OperationOptions = {}): Promise<IoDatagram> {
    return (await this.#incoming.take(options))!
  }

  /**
   * Resolves when the kernel has taken it, after those before it; it may be lost on its way all the same. An IPv4 address
   * is one for a socket that isn't bound, too. @throws IoTimeoutError, IoClosedError, IoError (`EMSGSIZE`: beyond 65,507
   * bytes), or `signal.reason`
   */
  async send(
    bytes: Uint8Array,
    address: { readonly host: string; readonly port: number },
    options: OperationOptions = {},
  ): Promise<void> {
    if (this.#closing !== undefined) throw new IoClosedError('send')
    await this.#port.run('send', options, (timeout) =>
      this.#port.handle.sendTo(this.#handle, bytes, address, timeout, this.#cell),
    )
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

  async *[Symbol.asyncIterator](): AsyncGenerator<IoDatagram, void, undefined> {
    try {
      for (;;) yield await this.receive()
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
