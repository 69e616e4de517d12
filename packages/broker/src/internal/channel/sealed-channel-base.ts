import { ChannelError } from '../../errors/channel-error.js'
import type { ChannelEnd, ChannelStats, Remote, SealedChannel } from '../../sealed-channel.js'
import type { HandshakeSession } from '../noise/handshake.js'
import { Readers } from './readers.js'
import type { SettledSeal } from './settle-options.js'

export interface ChannelParts {
  readonly session: HandshakeSession
  readonly remote: Remote
  readonly settled: SettledSeal
}

/** What channels have in common, whatever carries them: who waits for what, keys that are left in time, and one end. */
export abstract class SealedChannelBase implements SealedChannel {
  readonly remote: Remote
  readonly handshakeHash: Uint8Array
  readonly closed: Promise<ChannelEnd>
  /** Resolves when the peer has confirmed the handshake; rejects if the channel ends before. */
  readonly confirmed: Promise<void>
  /** A copy would seal other messages with the same counters: structured cloning refuses an object with a function. */
  readonly uncloneable = (): never => {
    throw new TypeError('a channel has no copy')
  }

  protected readonly settled: SettledSeal
  protected readonly readers = new Readers()
  protected confirm!: (error?: ChannelError) => void
  readonly #rekeying: NodeJS.Timeout | undefined
  #end: ChannelEnd | undefined
  #closing: Promise<void> | undefined
  #resolveClosed!: (end: ChannelEnd) => void

  constructor({ session, remote, settled }: ChannelParts) {
    this.remote = remote
    this.handshakeHash = session.handshakeHash
    this.settled = settled
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.confirmed = new Promise((resolve, reject) => {
      this.confirm = (error) => (error === undefined ? resolve() : reject(error))
    })
    // Whoever doesn't wait for it learns the same from `closed`.
    this.confirmed.catch(() => {})
    const { rekeyAfterMs } = settled.limits
    if (Number.isFinite(rekeyAfterMs)) this.#rekeying = setInterval(() => this.rekey(), rekeyAfterMs).unref()
  }

  abstract send(bytes: Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<void>
  abstract take(): Uint8Array | undefined
  abstract messages(options?: { readonly signal?: AbortSignal }): AsyncGenerator<Uint8Array, void, undefined>
  abstract rekey(): void
  abstract stats(): ChannelStats

  /** Whether there is a message to take. What was lent is given back by asking. */
  protected abstract hasMessage(): boolean
  /** The peer has said that it sends no more. */
  protected abstract readonly peerIsDone: boolean
  /** Tells the peer, in whatever way it can be told; then `finish` is called, soon or by the time that is over. */
  protected abstract sayClose(): void | Promise<void>
  /** Lets go of keys and transport. `error` is what sends that wait, and later ones, are rejected with. */
  protected abstract release(end: ChannelEnd, error: ChannelError): void

  get end(): ChannelEnd | undefined {
    return this.#end
  }
  get isClosing(): boolean {
    return this.#closing !== undefined
  }

  async readable({ signal }: { readonly signal?: AbortSignal } = {}): Promise<boolean> {
    for (;;) {
      signal?.throwIfAborted()
      if (this.hasMessage()) return true
      if (this.#end?.kind === 'failed') throw this.#end.error
      if (this.#end !== undefined || this.isClosing || this.peerIsDone) return false
      await this.readers.wait(signal)
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    if (this.#end !== undefined || this.peerIsDone) return
    const { closeTimeoutMs } = this.settled.limits
    const timer = setTimeout(() => this.finish({ kind: 'closed', by: 'us', answered: false }), closeTimeoutMs)
    await this.sayClose()
    await this.closed
    clearTimeout(timer)
  }

  protected fail(error: ChannelError): void {
    if (this.#end !== undefined) return
    this.settled.metrics.count('pyisolate_channel_failures_total', { problem: error.problem })
    this.finish({ kind: 'failed', error })
  }

  /** Once; what comes later changes nothing. */
  protected finish(end: ChannelEnd): void {
    if (this.#end !== undefined) return
    this.#end = Object.freeze(end)
    clearInterval(this.#rekeying)
    const error = end.kind === 'failed' ? end.error : new ChannelError('closed', 'the channel is closed')
    this.release(this.#end, error)
    this.confirm(error)
    this.readers.wake()
    this.#resolveClosed(this.#end)
  }
}
