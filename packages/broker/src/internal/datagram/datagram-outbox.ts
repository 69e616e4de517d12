import { ChannelError } from '../../errors/channel-error.js'
import type { Datagrams } from '../../transports/datagrams.js'
import { FrameKind } from '../channel/frame.js'
import type { SettledSeal } from '../channel/settle-options.js'
import { WaitingSends } from '../channel/waiting-sends.js'
import { SEALED_OVERHEAD } from './packet.js'
import type { Sealer } from './sealer.js'

const SENT = Promise.resolve()
/** Buffers that are kept for the next datagram. */
const MOST_SPARE = 16

/** Seals each message into a datagram, and waits while the transport holds on to as many bytes as it may. */
export class DatagramOutbox {
  readonly #sealer: Sealer
  readonly #datagrams: Datagrams
  readonly #settled: SettledSeal
  readonly #onFail: (error: ChannelError) => void
  readonly #spare: Uint8Array[] = []
  readonly #waiting = new WaitingSends()
  #underWay = 0
  #ended: ChannelError | undefined
  #onIdle: (() => void) | undefined

  constructor(sealer: Sealer, datagrams: Datagrams, settled: SettledSeal, onFail: (error: ChannelError) => void) {
    this.#sealer = sealer
    this.#datagrams = datagrams
    this.#settled = settled
    this.#onFail = onFail
  }

  get waiting(): number {
    return this.#waiting.length
  }

  send(kind: FrameKind, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    if (signal?.aborted) return Promise.reject(signal.reason)
    const most = Math.min(this.#datagrams.maxBytes - SEALED_OVERHEAD, this.#settled.limits.maxMessageBytes)
    if (bytes.length > most) {
      return Promise.reject(
        new ChannelError('oversized', `a message of ${bytes.length} bytes is too long for a datagram`),
      )
    }
    // What the channel itself says doesn't wait behind messages.
    if (kind !== FrameKind.message || (this.#waiting.length === 0 && this.#hasRoom())) {
      this.#pass(kind, bytes)
      return this.#ended === undefined ? SENT : Promise.reject(this.#ended)
    }
    if (this.#waiting.length >= this.#settled.limits.maxWaitingSends) {
      return Promise.reject(new ChannelError('queue', 'too many sends wait already'))
    }
    return this.#waiting.add(kind, bytes, signal)
  }

  async drained(): Promise<void> {
    if (this.#underWay === 0 || this.#ended !== undefined) return
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
  }

  wipe(error: ChannelError): void {
    this.#ended ??= error
    this.#waiting.reject(error)
    this.#sealer.wipe()
    this.#onIdle?.()
  }

  #hasRoom(): boolean {
    return this.#underWay * this.#datagrams.maxBytes < this.#settled.limits.sendBytes
  }

  #pass(kind: FrameKind, bytes: Uint8Array): void {
    const most = this.#datagrams.maxBytes - SEALED_OVERHEAD
    const padded = kind === FrameKind.message ? Math.min(this.#settled.pad(bytes.length), most) : 0
    const needed = SEALED_OVERHEAD + padded
    const spare = this.#spare.pop()
    const packet = spare !== undefined && spare.length >= needed ? spare : new Uint8Array(Math.max(needed, 2048))
    try {
      const length = this.#sealer.seal(packet, kind, bytes, padded)
      this.#underWay++
      this.#datagrams.send(packet.subarray(0, length), (error) => this.#done(packet, error))
    } catch (cause) {
      const failed = () => new ChannelError('transport', 'the transport failed', { cause })
      this.#onFail(ChannelError.isInstance(cause) ? cause : failed())
    }
  }

  #done(packet: Uint8Array, error: Error | null | undefined): void {
    this.#underWay--
    if (this.#spare.length < MOST_SPARE) this.#spare.push(packet)
    if (error && this.#ended === undefined) {
      this.#onFail(new ChannelError('transport', 'the transport failed', { cause: error }))
      return
    }
    while (this.#waiting.first !== undefined && this.#hasRoom() && this.#ended === undefined) {
      this.#pass(FrameKind.message, this.#waiting.first.bytes)
      this.#waiting.settleFirst(this.#ended)
    }
    if (this.#underWay === 0) this.#onIdle?.()
  }
}
