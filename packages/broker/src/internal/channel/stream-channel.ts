import { ChannelError } from '../../errors/channel-error.js'
import type { ChannelEnd, ChannelStats, Remote, SealedChannel } from '../../sealed-channel.js'
import type { ByteReader, ByteStream } from '../../transports/byte-stream.js'
import { NO_BYTES } from '../bytes.js'
import type { HandshakeSession } from '../noise/handshake.js'
import { FrameKind } from './frame.js'
import { Inbox } from './inbox.js'
import { Outbox } from './outbox.js'
import { Readers } from './readers.js'
import type { SettledSeal } from './settle-options.js'

export interface StreamChannelParts {
  readonly session: HandshakeSession
  readonly remote: Remote
  readonly stream: ByteStream
  readonly settled: SettledSeal
  /** Set for the side that wrote the last handshake message: the peer confirms it. The other side confirms. */
  readonly expectsReady: boolean
}

/** A channel over a stream that somebody else has started: its reader hands everything to `reader`. */
export class StreamChannel implements SealedChannel {
  readonly remote: Remote
  readonly handshakeHash: Uint8Array
  readonly closed: Promise<ChannelEnd>
  /** Resolves when the peer has confirmed the handshake; rejects if the channel ends before. */
  readonly confirmed: Promise<void>
  readonly reader: ByteReader
  /** A copy would seal other messages with the same counters: structured cloning refuses an object with a function. */
  readonly uncloneable = (): never => {
    throw new TypeError('a channel has no copy')
  }

  readonly #stream: ByteStream
  readonly #settled: SettledSeal
  readonly #outbox: Outbox
  readonly #inbox: Inbox
  readonly #readers = new Readers()
  readonly #rekeying: NodeJS.Timeout | undefined
  #end: ChannelEnd | undefined
  #peerDone = false
  #ended = false
  #closing: Promise<void> | undefined
  #resolveClosed!: (end: ChannelEnd) => void
  #confirm!: (error?: ChannelError) => void

  constructor({ session, remote, stream, settled, expectsReady }: StreamChannelParts) {
    this.remote = remote
    this.handshakeHash = session.handshakeHash
    this.#stream = stream
    this.#settled = settled
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.confirmed = new Promise((resolve, reject) => {
      this.#confirm = (error) => (error === undefined ? resolve() : reject(error))
    })
    // Whoever doesn't wait for it learns the same from `closed`.
    this.confirmed.catch(() => {})
    this.#outbox = new Outbox(session.send, stream, settled, (error) => this.#fail(error))
    this.#inbox = new Inbox(session.receive, settled, expectsReady, {
      onMessage: () => this.#readers.wake(),
      onControl: (kind) => (kind === FrameKind.close ? this.#peerClosed() : this.#confirm()),
      onFail: (error) => this.#fail(error),
      onEnd: () => this.#fail(new ChannelError('truncated', 'the transport ended without a close by the peer')),
      pause: () => stream.pause(),
      resume: () => stream.resume(),
    })
    this.reader = {
      data: (bytes) => this.#inbox.data(bytes),
      end: () => this.#transportEnded(),
      fail: (cause) => {
        if (this.#end !== undefined) this.#stream.destroy()
        else this.#fail(new ChannelError('transport', 'the transport failed', { cause }))
      },
    }
    if (!expectsReady) {
      this.#confirm()
      void this.#outbox.send(FrameKind.ready, NO_BYTES).catch(() => {})
    }
    const { rekeyAfterMs } = settled.limits
    if (Number.isFinite(rekeyAfterMs)) this.#rekeying = setInterval(() => this.rekey(), rekeyAfterMs).unref()
  }

  send(bytes: Uint8Array, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (bytes.length > this.#settled.limits.maxMessageBytes) {
      return Promise.reject(new ChannelError('oversized', `a message of ${bytes.length} bytes is too long`))
    }
    return this.#outbox.send(FrameKind.message, bytes, signal)
  }

  take(): Uint8Array | undefined {
    return this.#inbox.take()
  }

  async readable({ signal }: { readonly signal?: AbortSignal } = {}): Promise<boolean> {
    for (;;) {
      signal?.throwIfAborted()
      this.#inbox.release()
      if (this.#inbox.queued > 0) return true
      if (this.#end?.kind === 'failed') throw this.#end.error
      if (this.#end !== undefined || this.#closing !== undefined || this.#peerDone) return false
      await this.#readers.wait(signal)
    }
  }

  async *messages(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<Uint8Array, void, undefined> {
    while (await this.readable(options)) {
      const message = this.#inbox.take()
      // Another reader may have been faster.
      if (message === undefined) continue
      const own = Uint8Array.from(message)
      this.#inbox.release()
      yield own
    }
  }

  rekey(): void {
    this.#outbox.rekey()
  }

  stats(): ChannelStats {
    return {
      framesSent: this.#outbox.frames,
      framesReceived: this.#inbox.frames,
      rekeysSent: this.#outbox.rekeys,
      rekeysReceived: this.#inbox.rekeys,
      received: this.#inbox.queued,
      waiting: this.#outbox.waiting,
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
    if (this.#end !== undefined || this.#peerDone) return
    const timer = setTimeout(
      () => this.#finish({ kind: 'closed', by: 'us', answered: false }),
      this.#settled.limits.closeTimeoutMs,
    )
    this.#outbox.close(new ChannelError('closed', 'the channel is closed'), 'sent')
    this.#inbox.discard()
    this.#readers.wake()
    await this.#outbox.drained()
    if (this.#end === undefined) this.#stream.end()
    await this.closed
    clearTimeout(timer)
  }

  /** Its messages can still be taken; what this side wanted to say is of no use any more. */
  #peerClosed(): void {
    if (this.#closing !== undefined) {
      this.#finish({ kind: 'closed', by: 'us', answered: true })
      return
    }
    this.#peerDone = true
    this.#inbox.stop()
    this.#readers.wake()
    this.#outbox.close(new ChannelError('closed', 'the peer has closed the channel'), 'dropped')
    // So that its end is seen.
    this.#stream.resume()
    const { closeTimeoutMs } = this.#settled.limits
    const timer = setTimeout(() => {
      this.#finish({ kind: 'closed', by: 'peer', answered: false })
      this.#stream.destroy()
    }, closeTimeoutMs)
    timer.unref()
    void this.#outbox.drained().then(() => this.#finish({ kind: 'closed', by: 'peer', answered: true }))
  }

  /** Once the peer has said that it has nothing more to say, the end of its side takes nothing away. */
  #transportEnded(): void {
    this.#ended = true
    if (this.#end !== undefined) this.#stream.destroy()
    else if (!this.#peerDone) this.#inbox.end()
  }

  #fail(error: ChannelError): void {
    if (this.#end !== undefined) return
    if (this.#peerDone) {
      this.#finish({ kind: 'closed', by: 'peer', answered: false })
      return
    }
    this.#settled.metrics.count('pyisolate_channel_failures_total', { problem: error.problem })
    this.#finish({ kind: 'failed', error })
  }

  #finish(end: ChannelEnd): void {
    if (this.#end !== undefined) return
    this.#end = Object.freeze(end)
    clearInterval(this.#rekeying)
    const error = end.kind === 'failed' ? end.error : new ChannelError('closed', 'the channel is closed')
    this.#inbox.stop()
    this.#outbox.wipe(error)
    // The answer to a close may still be on its way: the peer ends the transport when it has it.
    if (end.kind === 'closed' && end.by === 'peer' && end.answered && !this.#ended) this.#stream.end()
    else this.#stream.destroy()
    this.#confirm(error)
    this.#readers.wake()
    this.#resolveClosed(this.#end)
  }
}
