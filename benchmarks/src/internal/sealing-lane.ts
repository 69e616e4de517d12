import {
  type Aead,
  type ByteReader,
  type ByteStream,
  KeyPair,
  memoryStreamPair,
  openChannel,
  type SealedChannel,
} from '@pyisolate/broker'
import { check } from '../suite.js'

const CHUNK = 65_536
/** Sends in one turn of the event loop, as a busy program makes them. */
const TURN = 128

/** Room for what is kept, made and touched before anything is timed: a transport's memory is its own matter. */
const KEPT_BYTES = 16 << 20

/** A stream between the two ends of a channel that can be cut: what is written is kept, and handed on when asked. */
class Tap implements ByteStream {
  readonly #stream: ByteStream
  readonly #kept = new Uint8Array(KEPT_BYTES).fill(1)
  #used = 0
  /** Milliseconds that keeping took: a transport's, not a channel's. */
  ms = 0
  reader: ByteReader | undefined
  cut = false

  constructor(stream: ByteStream) {
    this.#stream = stream
  }

  start(reader: ByteReader): void {
    this.reader = reader
    this.#stream.start(reader)
  }

  write(bytes: Uint8Array, done: (error?: Error | null) => void): void {
    if (!this.cut) {
      this.#stream.write(bytes, done)
      return
    }
    const start = performance.now()
    this.#kept.set(bytes, this.#used)
    this.ms += performance.now() - start
    this.#used += bytes.length
    done()
  }

  /** What was kept, to be looked at before the next write. */
  take(): Uint8Array {
    const kept = this.#kept.subarray(0, this.#used)
    this.#used = 0
    return kept
  }

  pause(): void {}
  resume(): void {}

  end(): void {
    this.#stream.end()
  }

  destroy(): void {
    this.#stream.destroy()
  }
}

/** A channel whose sealing and opening are timed apart, without a transport's own time. */
export class SealingLane {
  readonly #from: Tap
  readonly #to: Tap
  readonly #sender: SealedChannel
  readonly #receiver: SealedChannel

  private constructor(from: Tap, to: Tap, sender: SealedChannel, receiver: SealedChannel) {
    this.#from = from
    this.#to = to
    this.#sender = sender
    this.#receiver = receiver
  }

  static async open(aead: Aead): Promise<SealingLane> {
    const [one, other] = memoryStreamPair()
    const [from, to] = [new Tap(one), new Tap(other)]
    const [ours, theirs] = [KeyPair.generate(), KeyPair.generate()]
    const [sender, receiver] = await Promise.all([
      openChannel(from, { role: 'initiator', pattern: 'IK', keys: ours, remoteKey: theirs.publicKey, aead }),
      openChannel(to, { role: 'responder', pattern: 'IK', keys: theirs, peer: { keys: [ours.publicKey] }, aead }),
    ])
    await new Promise((resolve) => setImmediate(resolve))
    from.cut = true
    return new SealingLane(from, to, sender, receiver)
  }

  /** Seals `count` messages, then opens them: both in messages per second. The frames are left where they came from. */
  async sample(message: Uint8Array, count: number): Promise<{ seal: number; open: number }> {
    this.#from.ms = 0
    const start = performance.now()
    for (let sent = 0; sent < count; ) {
      const turn = Math.min(count, sent + TURN)
      let last: Promise<void> | undefined
      for (; sent < turn; sent++) last = this.#sender.send(message)
      await last
    }
    await Promise.resolve()
    const sealed = performance.now() - this.#from.ms
    const bytes = this.#from.take()
    check(bytes.length >= count * (message.length + 21), 'the sealed length')
    const opening = performance.now()
    let received = 0
    let length = 0
    for (let at = 0; at < bytes.length; at += CHUNK) {
      this.#to.reader!.data(bytes.subarray(at, at + CHUNK))
      for (let one = this.#receiver.take(); one !== undefined; one = this.#receiver.take()) {
        received++
        length += one.length
        if (received === count) check(Buffer.compare(one, message) === 0, 'the opened message')
      }
    }
    const opened = performance.now()
    check(received === count && length === count * message.length, 'the opened messages')
    return { seal: (count * 1000) / (sealed - start), open: (count * 1000) / (opened - opening) }
  }

  async close(): Promise<void> {
    this.#from.cut = false
    await Promise.all([this.#sender.close(), this.#receiver.close()])
  }
}
