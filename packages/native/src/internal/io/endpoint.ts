import { IoClosedError } from '../../errors/io-closed-error.js'
import { type IoPort, type OperationOptions, type Receiver, revoked } from './port.js'
import { Waiters } from './waiters.js'

/** What the thread has open and reports by unasked: how that is taken, ends, and is taken away. */
export abstract class IoEndpoint<T> implements AsyncDisposable {
  protected readonly io: IoPort
  protected readonly handle: number
  protected readonly incoming: Waiters<T>
  readonly #operation: string
  #closing: Promise<void> | undefined
  #revoked = false

  /**
   * @param operation what taking is called
   * @param hear what becomes of what comes, and of an end that nobody here asked for
   */
  constructor(
    io: IoPort,
    handle: number,
    operation: string,
    hear: (incoming: Waiters<T>) => Omit<Receiver, 'onRevoked'>,
  ) {
    this.io = io
    this.handle = handle
    this.#operation = operation
    this.incoming = new Waiters(operation, (item) => {
      const size = this.taken(item)
      if (!this.closing && !io.closed) io.handle.consume(handle, size)
    })
    io.receive(handle, {
      ...hear(this.incoming),
      onRevoked: () => {
        this.#revoked = true
        void this.drop(this.incoming.revoke(revoked(operation)))
      },
    })
  }

  /** Somebody has it: how much room there is now, as the addon counts it. */
  protected abstract taken(item: T): number

  /** What nobody will take any more. */
  protected async drop(_items: readonly T[]): Promise<void> {}

  protected get closing(): boolean {
    return this.#closing !== undefined
  }

  /** @internal It never came to be. */
  abandon(): void {
    this.#closing = Promise.resolve()
    this.io.forget(this.handle)
  }

  /** @internal Whether a policy has taken it away: then everything fails with `EACCES`. */
  get revoked(): boolean {
    return this.#revoked
  }

  /** Gives up what is under way, and closes it. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.closeDown()
    return this.#closing
  }

  protected async closeDown(): Promise<void> {
    this.finish()
    if (this.io.closed) return
    this.io.forget(this.handle)
    await this.shutHandle()
  }

  /** Nothing more is taken. Gives what nobody has taken. */
  protected finish(): T[] {
    return this.incoming.finish(new IoClosedError(this.#operation), true)
  }

  protected async shutHandle(): Promise<void> {
    await this.io.run('close', {}, () => this.io.handle.close(this.handle)).catch(ignoreEnd)
  }

  /** The next one of what has no end of its own. */
  protected async next(options: OperationOptions = {}): Promise<T> {
    return (await this.incoming.take(options))!
  }

  protected async *untilClosed(): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) yield await this.next()
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

/** Closed together with the thread: closed all the same. */
export function ignoreEnd(error: unknown): void {
  if (!IoClosedError.isInstance(error)) throw error
}
