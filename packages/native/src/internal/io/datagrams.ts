import { IoClosedError } from '../../errors/io-closed-error.js'
import type { CellHandle } from '../addon.js'
import { IoEndpoint } from './endpoint.js'
import { failure, type IoPort, type OperationOptions } from './port.js'

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
export class IoDatagrams extends IoEndpoint<IoDatagram> implements AsyncIterable<IoDatagram> {
  /** Where it is bound: a number and a port; the port is 0 before the first `send` of one that wasn't. */
  host = ''
  port = 0
  readonly #cell: CellHandle | undefined

  /** @internal `cell`: whose policy rules what is sent */
  constructor(io: IoPort, handle: number, cell?: CellHandle) {
    super(io, handle, 'receive', (incoming) => ({
      onDatagram: (bytes, host, port) => incoming.put({ bytes, host, port }),
      onEnd: (errno) => incoming.finish(failure('receive', errno)),
    }))
    this.#cell = cell
  }

  protected override taken({ bytes }: IoDatagram): number {
    return bytes.length + EACH
  }

  /** @internal */
  bound(host: string, port: number): void {
    this.host = host
    this.port = port
  }

  /** The next one. A time-out loses nothing. @throws IoTimeoutError, IoClosedError, IoError, or `signal.reason` */
  receive(options: OperationOptions = {}): Promise<IoDatagram> {
    return this.next(options)
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
    if (this.closing) throw new IoClosedError('send')
    await this.io.run('send', options, (timeout) =>
      this.io.handle.sendTo(this.handle, bytes, address, timeout, this.#cell),
    )
  }

  [Symbol.asyncIterator](): AsyncGenerator<IoDatagram, void, undefined> {
    return this.untilClosed()
  }
}
