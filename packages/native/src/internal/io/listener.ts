import { IoEndpoint } from './endpoint.js'
import { failure, type IoPort, type OperationOptions } from './port.js'
import { IoStream } from './stream.js'

/** Takes connections, and lets those beyond its `window` wait in the kernel. Iterating accepts until it is closed. */
export class IoListener extends IoEndpoint<IoStream> implements AsyncIterable<IoStream> {
  /** Where it listens: a number and a port, or a Unix socket's path and 0. */
  host = ''
  port = 0

  /** @internal */
  constructor(io: IoPort, handle: number) {
    super(io, handle, 'accept', (incoming) => ({
      onAccepted: (stream, peer, port) => incoming.put(new IoStream(io, stream, peer, port)),
      onEnd: (errno) => incoming.finish(failure('accept', errno)),
    }))
  }

  protected override taken(): number {
    return 1
  }

  protected override async drop(streams: readonly IoStream[]): Promise<void> {
    await Promise.all(streams.map((stream) => stream.close()))
  }

  /** @internal */
  bound(host: string, port: number): void {
    this.host = host
    this.port = port
  }

  /** The next connection. @throws IoTimeoutError, IoClosedError, IoError, or `signal.reason` */
  accept(options: OperationOptions = {}): Promise<IoStream> {
    return this.next(options)
  }

  /** Also what nobody has accepted. */
  protected override async closeDown(): Promise<void> {
    if (!this.io.closed) {
      await this.shutHandle()
      // Only now: what was accepted before it was closed has been reported.
      this.io.forget(this.handle)
    }
    await this.drop(this.finish())
  }

  [Symbol.asyncIterator](): AsyncGenerator<IoStream, void, undefined> {
    return this.untilClosed()
  }
}
