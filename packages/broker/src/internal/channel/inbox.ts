import { ChannelError } from '../../errors/channel-error.js'
import { MAX_CHUNK } from '../../transports/byte-stream.js'
import type { CipherState } from '../noise/cipher-state.js'
import { Assembly } from './assembly.js'
import { BODY_HEADER, FRAME_HEADER, FrameKind, MIN_BODY, payloadLength } from './frame.js'
import { MAX_BATCH } from './frame-buffer.js'
import { MessageQueue } from './message-queue.js'
import type { SettledSeal } from './settle-options.js'

const FIRST_BYTES = 4096

export interface InboxHooks {
  /** There is a message to take. */
  readonly onMessage: () => void
  readonly onControl: (kind: typeof FrameKind.close | typeof FrameKind.ready) => void
  readonly onFail: (error: ChannelError) => void
  /** Everything that came before the transport's end has been looked at. */
  readonly onEnd: () => void
  readonly pause: () => void
  readonly resume: () => void
}

/**
 * What a channel receives. Bytes are kept in one buffer, opened there as soon as a frame is whole, and stay until their
 * messages have been taken; when the buffer or the queue is full, the transport is paused. Nothing that isn't
 * authenticated leaves this object.
 */
export class Inbox {
  readonly #cipher: CipherState
  readonly #settled: SettledSeal
  readonly #hooks: InboxHooks
  readonly #queue: MessageQueue
  readonly #assembly: Assembly
  readonly #spans = new Uint32Array(2 * MAX_BATCH)
  #bytes = new Uint8Array(FIRST_BYTES)
  /** Up to here frames are opened; up to `#end` there are bytes. */
  #opened = 0
  #end = 0
  #paused = false
  /** The end of the message that was taken last, whose bytes are still being looked at. */
  #lent = false
  #over = false
  #discarding = false
  #atEnd = false
  #expectsReady: boolean
  #markers = 0
  frames = 0
  rekeys = 0

  constructor(cipher: CipherState, settled: SettledSeal, expectsReady: boolean, hooks: InboxHooks) {
    this.#cipher = cipher
    this.#settled = settled
    this.#hooks = hooks
    this.#expectsReady = expectsReady
    this.#queue = new MessageQueue(settled.limits.receiveMessages)
    this.#assembly = new Assembly(settled.limits.maxMessageBytes)
  }

  get queued(): number {
    return this.#queue.length
  }

  data(chunk: Uint8Array): void {
    if (this.#over) return
    if (!this.#makeRoom(chunk.length)) {
      this.#fail('transport', 'the transport sends faster than it was told to')
      return
    }
    this.#bytes.set(chunk, this.#end)
    this.#end += chunk.length
    this.#open()
    this.#balance()
  }

  /** The transport brings no more. Frames that wait for room in the queue are still opened when there is some. */
  end(): void {
    this.#atEnd = true
    this.#checkEnd()
  }

  /** The next message: good until `take` or `release` is called again. `undefined`: there is none yet. */
  take(): Uint8Array | undefined {
    this.release()
    const message = this.#queue.shift(this.#bytes)
    this.#lent = message !== undefined
    return message
  }

  /** The message that was taken last is not looked at any more. */
  release(): void {
    this.#lent = false
    if (this.#queue.length > 0) return
    if (this.#over) {
      this.#bytes.fill(0)
      return
    }
    this.#compact()
    this.#open()
    this.#balance()
    this.#checkEnd()
  }

  /** From now on only the peer's close counts. */
  discard(): void {
    this.#discarding = true
    this.#queue.clear()
    this.release()
  }

  /** No further byte is looked at. What is authenticated can still be taken. */
  stop(): void {
    this.#over = true
    this.#cipher.wipe()
    this.#assembly.wipe()
    if (this.#queue.length === 0 && !this.#lent) this.#bytes.fill(0)
  }

  /** Overwrites what was not taken, too. */
  wipe(): void {
    this.stop()
    this.#queue.clear()
    this.#bytes.fill(0)
  }

  /** Opens whole frames, as many at once as there are, and no more than the queue has room for. */
  #open(): void {
    try {
      this.#openAll()
    } catch (error) {
      this.#over = true
      const failed = () => new ChannelError('transport', 'the cipher failed', { cause: error })
      this.#hooks.onFail(error instanceof ChannelError ? error : failed())
    }
  }

  #openAll(): void {
    while (!this.#over) {
      const count = this.#collect()
      if (count === 0) return
      const opened = this.#cipher.openMany(this.#bytes, this.#spans, count)
      for (let at = 0; at < opened && !this.#over; at++) {
        this.frames++
        this.#accept(this.#spans[2 * at]!, this.#spans[2 * at + 1]!)
      }
      if (opened < count && !this.#over) {
        this.#fail('authentication', 'a frame is not authentic')
        return
      }
    }
  }

  /** Notes the whole frames before the next marker, and takes the next key when a marker is what comes first. */
  #collect(): number {
    const room = Math.min(MAX_BATCH, this.#queue.room)
    let count = 0
    while (count < room && this.#end - this.#opened >= FRAME_HEADER && !this.#over) {
      const length = (this.#bytes[this.#opened]! << 8) | this.#bytes[this.#opened + 1]!
      if (length === 0) {
        if (count > 0) return count
        this.#takeNextKey()
        continue
      }
      if (length < MIN_BODY) {
        // What came before it is authentic, and comes first.
        if (count === 0) this.#fail('malformed', 'a frame is too short to be one')
        return count
      }
      if (this.#end - this.#opened < FRAME_HEADER + length) return count
      this.#spans[2 * count] = this.#opened + FRAME_HEADER
      this.#spans[2 * count + 1] = length
      this.#opened += FRAME_HEADER + length
      count++
      this.#markers = 0
    }
    return count
  }

  /** A marker is not authenticated, but a forged one leads to a key that opens nothing. */
  #takeNextKey(): void {
    this.#opened += FRAME_HEADER
    if (++this.#markers > 1) {
      this.#fail('malformed', 'a key was left before it was used')
      return
    }
    this.#cipher.rekey()
    this.rekeys++
    this.#settled.metrics.count('pyisolate_channel_rekeys_total', { direction: 'receive' })
  }

  #accept(at: number, sealedLength: number): void {
    const kind = this.#bytes[at]!
    const length = payloadLength(this.#bytes, at, sealedLength)
    if (length < 0) {
      this.#fail('malformed', 'a frame has another length than it says')
      return
    }
    if (this.#expectsReady !== (kind === FrameKind.ready)) {
      this.#fail('malformed', 'the handshake was not confirmed first, or once more')
      return
    }
    if (kind === FrameKind.ready || kind === FrameKind.close) {
      this.#control(kind, length)
      return
    }
    if (kind !== FrameKind.message && kind !== FrameKind.part) {
      this.#fail('malformed', 'a frame of no known kind')
      return
    }
    if (this.#discarding) return
    const start = at + BODY_HEADER
    if (length > this.#settled.limits.maxMessageBytes) {
      this.#fail('oversized', 'a message is too long')
      return
    }
    if (kind === FrameKind.message && this.#assembly.isEmpty) this.#queue.push(start, length)
    else if (!this.#assemble(kind, start, length)) return
    if (kind === FrameKind.message) this.#hooks.onMessage()
  }

  #assemble(kind: FrameKind, start: number, length: number): boolean {
    if (length === 0) {
      this.#fail('malformed', 'a part without anything in it')
      return false
    }
    if (!this.#assembly.add(this.#bytes.subarray(start, start + length))) {
      this.#fail('oversized', 'a message is too long')
      return false
    }
    if (kind === FrameKind.message) this.#queue.pushWhole(this.#assembly.finish())
    return true
  }

  #control(kind: typeof FrameKind.close | typeof FrameKind.ready, length: number): void {
    this.#expectsReady = false
    if (length > 0) {
      this.#fail('malformed', 'a control frame with something in it')
      return
    }
    if (kind === FrameKind.close && !this.#assembly.isEmpty && !this.#discarding) {
      this.#fail('malformed', 'the close comes in the middle of a message')
      return
    }
    this.#hooks.onControl(kind)
  }

  #makeRoom(length: number): boolean {
    if (this.#end + length <= this.#bytes.length) return true
    if (this.#queue.length === 0 && !this.#lent) this.#compact()
    const needed = this.#end + length
    if (needed <= this.#bytes.length) return true
    if (needed > this.#settled.limits.receiveBytes) return false
    const grown = new Uint8Array(Math.min(this.#settled.limits.receiveBytes, Math.max(needed, 2 * this.#bytes.length)))
    grown.set(this.#bytes.subarray(0, this.#end))
    // A message that is lent may still lie in the old one: the collector takes that one away.
    if (!this.#lent) this.#bytes.fill(0)
    this.#bytes = grown
    return true
  }

  /** Moves what is not opened yet to the front. Only while nobody looks at what is there. */
  #compact(): void {
    if (this.#opened === 0) return
    this.#bytes.copyWithin(0, this.#opened, this.#end)
    this.#bytes.fill(0, this.#end - this.#opened, this.#end)
    this.#end -= this.#opened
    this.#opened = 0
  }

  /** Pauses the transport when another chunk might not fit, and lets it go on when it does again. */
  #balance(): void {
    if (this.#over) return
    if (this.#queue.length === 0 && !this.#lent) this.#compact()
    const full = this.#queue.isFull || this.#queue.wholeBytes > this.#settled.limits.receiveBytes
    const crowded = full || this.#end + MAX_CHUNK > this.#settled.limits.receiveBytes
    if (crowded === this.#paused) return
    this.#paused = crowded
    if (crowded) this.#hooks.pause()
    else this.#hooks.resume()
  }

  #checkEnd(): void {
    if (this.#atEnd && !this.#over && !this.#queue.isFull) this.#hooks.onEnd()
  }

  #fail(problem: 'authentication' | 'malformed' | 'oversized' | 'transport', what: string): void {
    this.#over = true
    this.#hooks.onFail(new ChannelError(problem, what))
  }
}
