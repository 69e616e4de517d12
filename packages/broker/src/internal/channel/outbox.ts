import { ChannelError } from '../../errors/channel-error.js'
import type { ByteStream } from '../../transports/byte-stream.js'
import { NO_BYTES } from '../bytes.js'
import type { CipherState } from '../noise/cipher-state.js'
import { FrameKind, MAX_PAYLOAD } from './frame.js'
import { FrameBuffer } from './frame-buffer.js'
import type { SettledSeal } from './settle-options.js'
import { WaitingSends } from './waiting-sends.js'

const SENT = Promise.resolve()

/**
 * What a channel sends: one buffer is on its way while the next one fills. Frames get their counters when they are
 * sealed, in the order in which they are written. When both buffers are full, sends wait, first come, first served.
 */
export class Outbox {
  readonly #cipher: CipherState
  readonly #stream: ByteStream
  readonly #settled: SettledSeal
  readonly #onFail: (error: ChannelError) => void
  #filling: FrameBuffer
  #writing: FrameBuffer
  #inFlight = false
  #flushing = false
  #scheduled = false
  readonly #waiting = new WaitingSends()
  #rekeyDue = false
  #ended: ChannelError | undefined
  #wiped = false
  #onIdle: (() => void) | undefined
  frames = 0
  rekeys = 0

  constructor(cipher: CipherState, stream: ByteStream, settled: SettledSeal, onFail: (error: ChannelError) => void) {
    this.#cipher = cipher
    this.#stream = stream
    this.#settled = settled
    this.#onFail = onFail
    this.#filling = new FrameBuffer(settled.limits.sendBytes)
    this.#writing = new FrameBuffer(settled.limits.sendBytes)
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Resolves when the bytes have been taken over. Until then they must not change. */
  send(kind: FrameKind, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (this.#waiting.length === 0 && bytes.length <= MAX_PAYLOAD && this.#take(kind, bytes, 0)) {
      this.#schedule()
      return SENT
    }
    if (this.#waiting.length >= this.#settled.limits.maxWaitingSends && kind === FrameKind.message) {
      return Promise.reject(new ChannelError('queue', 'too many sends wait already'))
    }
    const sent = this.#waiting.add(kind, bytes, signal)
    this.#schedule()
    return sent
  }

  /** The peer takes its next key after what is on its way now. */
  rekey(): void {
    if (this.#ended !== undefined || this.#cipher.used === 0) return
    this.#rekeyDue = true
    this.#schedule()
  }

  /** Resolves when the transport has everything. */
  async drained(): Promise<void> {
    if ((this.#waiting.length === 0 && this.#filling.isEmpty && !this.#inFlight) || this.#wiped) return
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
  }

  /** The close frame goes out after what waits, or instead of it; later sends are rejected with `error`. */
  close(error: ChannelError, waiting: 'sent' | 'dropped'): void {
    if (this.#ended !== undefined) return
    if (waiting === 'dropped') this.#waiting.reject(error)
    // Rejected when the channel fails before it is out, which the channel tells by itself.
    this.send(FrameKind.close, NO_BYTES).catch(() => {})
    this.#ended = error
  }

  /** Ends it at once: what was not written never will be. */
  wipe(error: ChannelError): void {
    this.#ended ??= error
    this.#wiped = true
    this.#waiting.reject(error)
    this.#cipher.wipe()
    this.#filling.wipe()
    // What is on its way is sealed already, and still being read.
    if (!this.#inFlight) this.#writing.wipe()
    this.#idle()
  }

  #take(kind: FrameKind, bytes: Uint8Array, from: number): boolean {
    const to = Math.min(bytes.length, from + MAX_PAYLOAD)
    const last = to === bytes.length
    const padded = kind === FrameKind.message && last ? this.#settled.pad(to - from) : to - from
    // No frame more than the key is good for: the next one waits for the next key.
    if (this.#cipher.used + this.#filling.count >= this.#settled.limits.rekeyAfterMessages) return false
    if (!this.#filling.hasRoom(padded)) return false
    this.#filling.add(last ? kind : FrameKind.part, bytes, from, to, padded)
    return true
  }

  /** What is sent in one turn goes out together. */
  #schedule(): void {
    if (this.#scheduled || this.#inFlight) return
    this.#scheduled = true
    queueMicrotask(this.#run)
  }

  readonly #run = (): void => {
    this.#scheduled = false
    this.#flush()
  }

  #refill(): void {
    for (let one = this.#waiting.first; one !== undefined; one = this.#waiting.first) {
      if (!this.#take(one.kind, one.bytes, one.at)) return
      one.at = Math.min(one.bytes.length, one.at + MAX_PAYLOAD)
      if (one.at < one.bytes.length) continue
      this.#waiting.settleFirst()
    }
  }

  /** A loop, as a transport may be done before `write` returns, and then no stack must grow. */
  #flush(): void {
    if (this.#flushing || this.#inFlight || this.#wiped) return
    this.#flushing = true
    try {
      for (;;) {
        this.#refill()
        if (this.#inFlight || this.#wiped || (this.#filling.isEmpty && !this.#rekeyDue)) break
        const buffer = this.#filling
        this.#filling = this.#writing
        this.#writing = buffer
        const bytes = this.#seal(buffer)
        if (bytes.length === 0) continue
        this.#inFlight = true
        this.#stream.write(bytes, this.#done)
      }
    } catch (error) {
      this.#onFail(
        error instanceof ChannelError ? error : new ChannelError('transport', 'the transport failed', { cause: error }),
      )
    } finally {
      this.#flushing = false
    }
    if (!this.#inFlight && this.#waiting.length === 0 && this.#filling.isEmpty) this.#idle()
  }

  /** With a key that was never used, nothing would be won by another one. */
  #seal(buffer: FrameBuffer): Uint8Array {
    this.frames += buffer.count
    const due = this.#rekeyDue || this.#cipher.used + buffer.count >= this.#settled.limits.rekeyAfterMessages
    const marker = due && this.#cipher.used + buffer.count > 0
    this.#rekeyDue = false
    const bytes = buffer.seal(this.#cipher, marker)
    if (marker) {
      this.#cipher.rekey()
      this.rekeys++
      this.#settled.metrics.count('pyisolate_channel_rekeys_total', { direction: 'send' })
    }
    return bytes
  }

  readonly #done = (error?: Error | null): void => {
    this.#inFlight = false
    this.#writing.clear()
    if (error) {
      this.#onFail(new ChannelError('transport', 'the transport failed', { cause: error }))
      return
    }
    this.#flush()
  }

  #idle(): void {
    this.#onIdle?.()
    this.#onIdle = undefined
  }
}
