import { ChannelError, type ChannelProblem } from '../../errors/channel-error.js'
import type { ChannelEnd, ChannelStats } from '../../sealed-channel.js'
import type { DatagramReader, Datagrams } from '../../transports/datagrams.js'
import { NO_BYTES } from '../bytes.js'
import { BODY_HEADER, FrameKind, payloadLength } from '../channel/frame.js'
import { type ChannelParts, SealedChannelBase } from '../channel/sealed-channel-base.js'
import { DatagramOutbox } from './datagram-outbox.js'
import { Opener } from './opener.js'
import { BODY_AT, MIN_SEALED, PacketKind } from './packet.js'
import { Sealer } from './sealer.js'

/** How long the key before the present one is kept for datagrams that were overtaken, in milliseconds. */
const KEEP_MS = 10_000
const CLOSE_AGAIN_MS = 250

export interface DatagramChannelParts extends ChannelParts {
  readonly datagrams: Datagrams
  readonly window: number
  readonly refused: 'end' | 'drop'
  /** Called for what belongs to the handshake: the peer may not have heard this side's last word. */
  readonly onHandshake: (packet: Uint8Array) => void
}

/** A channel whose messages are datagrams: each whole, once or not at all, in whatever order they come. */
export class DatagramChannel extends SealedChannelBase {
  readonly reader: DatagramReader
  readonly #parts: DatagramChannelParts
  readonly #sealer: Sealer
  readonly #opener: Opener
  readonly #outbox: DatagramOutbox
  readonly #queue: Uint8Array[] = []
  #queuedBytes = 0
  #received = 0
  #peerDone = false

  constructor(parts: DatagramChannelParts) {
    super(parts)
    this.#parts = parts
    const { limits } = parts.settled
    this.#sealer = new Sealer(parts.session.send, limits.rekeyAfterMessages)
    this.#opener = new Opener(parts.session.receive.intoReceivingKey(), parts.window, KEEP_MS)
    this.#outbox = new DatagramOutbox(this.#sealer, parts.datagrams, parts.settled, (error) => this.fail(error))
    this.reader = {
      datagram: (bytes) => this.#take(bytes),
      end: () => this.#transportEnded(),
      fail: (cause) => this.fail(new ChannelError('transport', 'the transport failed', { cause })),
    }
  }

  /** Says that this side has the keys; again when the peer seems not to have heard it. */
  sayReady(): void {
    if (this.end === undefined) void this.#outbox.send(FrameKind.ready, NO_BYTES).catch(() => {})
  }

  send(bytes: Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<void> {
    return this.#outbox.send(FrameKind.message, bytes, options?.signal)
  }

  /** Of its own here: a datagram is copied once, when it is opened. */
  take(): Uint8Array | undefined {
    const message = this.#queue.shift()
    this.#queuedBytes -= message?.length ?? 0
    return message
  }

  async *messages(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<Uint8Array, void, undefined> {
    while (await this.readable(options)) {
      const message = this.take()
      if (message !== undefined) yield message
    }
  }

  rekey(): void {
    if (this.end === undefined) this.#guard(() => this.#sealer.rekey())
  }

  stats(): ChannelStats {
    return {
      framesSent: this.#sealer.frames,
      framesReceived: this.#received,
      rekeysSent: this.#sealer.rekeys,
      rekeysReceived: this.#opener.rekeys,
      received: this.#queue.length,
      waiting: this.#outbox.waiting,
    }
  }

  protected hasMessage(): boolean {
    return this.#queue.length > 0
  }

  /** It may come late, after messages that are still on their way. */
  protected readonly peerIsDone = false

  /** A close may be lost as anything else: it is said again until the peer says so, too, or the time is over. */
  protected sayClose(): void {
    this.#queue.length = 0
    this.readers.wake()
    const again = setInterval(() => this.#sayClose(), CLOSE_AGAIN_MS)
    void this.closed.then(() => clearInterval(again))
    this.#sayClose()
  }

  #sayClose(): void {
    void this.#outbox.send(FrameKind.close, NO_BYTES).catch(() => {})
  }

  #take(bytes: Uint8Array): void {
    if (this.end !== undefined || bytes.length === 0) return
    if (bytes[0] === PacketKind.handshake || bytes[0] === PacketKind.refusal) {
      this.#parts.onHandshake(bytes)
      return
    }
    if (bytes[0] !== PacketKind.sealed || bytes.length < MIN_SEALED) {
      this.#refuse('malformed', 'a datagram is none of ours')
      return
    }
    const packet = Uint8Array.from(bytes)
    this.#guard(() => {
      const found = this.#opener.open(packet)
      if (found === 'authentic') this.#accept(packet)
      else
        this.#refuse(found, found === 'replay' ? 'a datagram comes twice, or too late' : 'a datagram is not authentic')
    })
  }

  #accept(packet: Uint8Array): void {
    this.#received++
    const length = payloadLength(packet, BODY_AT, packet.length - BODY_AT)
    const kind = packet[BODY_AT]!
    if (length < 0 || kind === FrameKind.part || kind > FrameKind.ready || (kind !== FrameKind.message && length > 0)) {
      // Only a peer with the keys seals such a thing, and it is never dropped.
      this.fail(new ChannelError('malformed', 'a datagram that no honest peer seals'))
      return
    }
    this.confirm()
    if (kind === FrameKind.close) this.#peerClosed()
    else if (kind === FrameKind.message && !this.isClosing) this.#enqueue(packet, length)
  }

  #enqueue(packet: Uint8Array, length: number): void {
    const { limits, metrics } = this.#parts.settled
    if (length > limits.maxMessageBytes) {
      this.fail(new ChannelError('oversized', 'a message is too long'))
      return
    }
    const full = this.#queue.length >= limits.receiveMessages || this.#queuedBytes + length > limits.receiveBytes
    if (full) {
      // A datagram can't be held back; one that nobody takes is lost, as on the way.
      metrics.count('pyisolate_channel_datagrams_dropped_total', { problem: 'full' })
      return
    }
    const start = BODY_AT + BODY_HEADER
    this.#queue.push(packet.subarray(start, start + length))
    this.#queuedBytes += length
    this.readers.wake()
  }

  #refuse(problem: ChannelProblem, what: string): void {
    if (this.#parts.refused === 'end') this.fail(new ChannelError(problem, what))
    else this.#parts.settled.metrics.count('pyisolate_channel_datagrams_dropped_total', { problem })
  }

  #peerClosed(): void {
    if (this.isClosing) {
      this.finish({ kind: 'closed', by: 'us', answered: true })
      return
    }
    this.#peerDone = true
    this.#sayClose()
    void this.#outbox.drained().then(() => this.finish({ kind: 'closed', by: 'peer', answered: true }))
  }

  /** A peer that has heard this side's close has no use for the transport any more. */
  #transportEnded(): void {
    if (this.#peerDone) this.finish({ kind: 'closed', by: 'peer', answered: true })
    else this.fail(new ChannelError('truncated', 'the transport ended without a close by the peer'))
  }

  #guard(step: () => void): void {
    try {
      step()
    } catch (cause) {
      this.fail(ChannelError.isInstance(cause) ? cause : new ChannelError('transport', 'the cipher failed', { cause }))
    }
  }

  protected release(_: ChannelEnd, error: ChannelError): void {
    this.#outbox.wipe(error)
    this.#opener.wipe()
    this.#parts.datagrams.close()
  }
}
