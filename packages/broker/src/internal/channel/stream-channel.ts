import { ChannelError } from '../../errors/channel-error.js'
import type { ChannelEnd, ChannelStats } from '../../sealed-channel.js'
import type { ByteReader, ByteStream } from '../../transports/byte-stream.js'
import { NO_BYTES } from '../bytes.js'
import { FrameKind } from './frame.js'
import { Inbox } from './inbox.js'
import { Outbox } from './outbox.js'
import { type ChannelParts, SealedChannelBase } from './sealed-channel-base.js'

export interface StreamChannelParts extends ChannelParts {
  readonly stream: ByteStream
  /** Set for the side that wrote the last handshake message: the peer confirms it. The other side confirms. */
  readonly expectsReady: boolean
}

/** A channel over a stream that somebody else has started: its reader hands everything to `reader`. */
export class StreamChannel extends SealedChannelBase {
  readonly reader: ByteReader
  readonly #stream: ByteStream
  readonly #outbox: Outbox
  readonly #inbox: Inbox
  #peerDone = false
  #ended = false

  constructor(parts: StreamChannelParts) {
    super(parts)
    const { session, stream, settled, expectsReady } = parts
    this.#stream = stream
    this.#outbox = new Outbox(session.send, stream, settled, (error) => this.fail(error))
    this.#inbox = new Inbox(session.receive, settled, expectsReady, {
      onMessage: () => this.readers.wake(),
      onControl: (kind) => (kind === FrameKind.close ? this.#peerClosed() : this.confirm()),
      onFail: (error) => this.fail(error),
      onEnd: () => this.fail(new ChannelError('truncated', 'the transport ended without a close by the peer')),
      pause: () => stream.pause(),
      resume: () => stream.resume(),
    })
    this.reader = {
      data: (bytes) => this.#inbox.data(bytes),
      end: () => this.#transportEnded(),
      fail: (cause) => {
        if (this.end !== undefined) this.#stream.destroy()
        else this.fail(new ChannelError('transport', 'the transport failed', { cause }))
      },
    }
    if (!expectsReady) {
      this.confirm()
      void this.#outbox.send(FrameKind.ready, NO_BYTES).catch(() => {})
    }
  }

  send(bytes: Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<void> {
    if (bytes.length > this.settled.limits.maxMessageBytes) {
      return Promise.reject(new ChannelError('oversized', `a message of ${bytes.length} bytes is too long`))
    }
    return this.#outbox.send(FrameKind.message, bytes, options?.signal)
  }

  take(): Uint8Array | undefined {
    return this.#inbox.take()
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

  protected hasMessage(): boolean {
    this.#inbox.release()
    return this.#inbox.queued > 0
  }

  protected get peerIsDone(): boolean {
    return this.#peerDone
  }

  protected async sayClose(): Promise<void> {
    this.#outbox.close(new ChannelError('closed', 'the channel is closed'), 'sent')
    this.#inbox.discard()
    this.readers.wake()
    await this.#outbox.drained()
    if (this.end === undefined) this.#stream.end()
  }

  /** Its messages can still be taken; what this side wanted to say is of no use any more. */
  #peerClosed(): void {
    if (this.isClosing) {
      this.finish({ kind: 'closed', by: 'us', answered: true })
      return
    }
    this.#peerDone = true
    this.#inbox.stop()
    this.readers.wake()
    this.#outbox.close(new ChannelError('closed', 'the peer has closed the channel'), 'dropped')
    // So that its end is seen.
    this.#stream.resume()
    const timer = setTimeout(() => {
      this.finish({ kind: 'closed', by: 'peer', answered: false })
      this.#stream.destroy()
    }, this.settled.limits.closeTimeoutMs)
    timer.unref()
    void this.#outbox.drained().then(() => this.finish({ kind: 'closed', by: 'peer', answered: true }))
  }

  /** Once the peer has said that it has nothing more to say, the end of its side takes nothing away. */
  #transportEnded(): void {
    this.#ended = true
    if (this.end !== undefined) this.#stream.destroy()
    else if (!this.#peerDone) this.#inbox.end()
  }

  protected override fail(error: ChannelError): void {
    if (this.#peerDone) this.finish({ kind: 'closed', by: 'peer', answered: false })
    else super.fail(error)
  }

  protected release(end: ChannelEnd, error: ChannelError): void {
    this.#inbox.stop()
    this.#outbox.wipe(error)
    // The answer to a close may still be on its way: the peer ends the transport when it has it.
    if (end.kind === 'closed' && end.by === 'peer' && end.answered && !this.#ended) this.#stream.end()
    else this.#stream.destroy()
  }
}
