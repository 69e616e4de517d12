import { createHash, randomFillSync } from 'node:crypto'
import type { Sandbox } from '../../src/index.js'

/** Every message's bytes are a piece of these. */
const pool = randomFillSync(new Uint8Array(256 * 1024))
const genesis = Buffer.alloc(32)

/**
 * What the guest runs: it proves that each message is the next one, and answers with its number, the digest of all that
 * it has been sent so far, and the bytes once more, from behind.
 */
const echo = `
import hashlib
def serve():
    number, digest = 0, bytes(32)
    while (message := recv()) is not None:
        got, body = message
        if got != number:
            raise AssertionError(f"expected message {number}, got {got}")
        digest = hashlib.sha256(digest + body).digest()
        post([number, digest, body[::-1]])
        number += 1
    return [number, digest]
`

/** The bytes of one message, by its sandbox and number: mostly small, one in 64 larger than a ring. */
export function body(lane: number, number: number): Uint8Array {
  const mixed = Math.imul(lane * 65_537 + number + 1, 0x9e37_79b1) >>> 0
  const length = mixed % 64 === 0 ? 70_000 + (mixed >>> 20) : (mixed >>> 6) % 2048
  const from = (mixed >>> 8) % (pool.length - length)
  return pool.subarray(from, from + length)
}

export function chain(digest: Uint8Array, bytes: Uint8Array): Buffer {
  return createHash('sha256').update(digest).update(bytes).digest()
}

/** A sandbox that answers, and its peer, which keeps up to `ahead` messages on their way and checks every answer. */
export class EchoLane {
  exchanged = 0
  #sent = 0
  #digest: Buffer = genesis
  readonly #digests: Buffer[] = []
  readonly #finished: Promise<unknown>

  constructor(
    readonly lane: number,
    readonly sandbox: Sandbox,
    readonly ahead: number,
    private readonly stopped: () => boolean,
  ) {
    this.#finished = (async () => {
      await sandbox.exec(echo, { timeout: Number.POSITIVE_INFINITY })
      return sandbox.eval('serve()', { timeout: Number.POSITIVE_INFINITY })
    })()
    this.#finished.catch(() => {})
  }

  /** Until `stopped`; then everything that is on its way is waited for. @throws what the guest or a check throws */
  async run(): Promise<void> {
    for (let ahead = 0; ahead < this.ahead; ahead++) await this.#send()
    while (this.exchanged < this.#sent) {
      await this.#receive()
      if (!this.stopped()) await this.#send()
    }
    await this.sandbox.send(null)
    const [count, digest] = (await this.#finished) as [number, Uint8Array]
    if (count !== this.#sent || Buffer.compare(digest, this.#digest) !== 0)
      throw new Error(`lane ${this.lane}: the guest has seen ${count} of ${this.#sent} messages, or others`)
  }

  async #send(): Promise<void> {
    const bytes = body(this.lane, this.#sent)
    this.#digest = chain(this.#digest, bytes)
    this.#digests.push(this.#digest)
    await this.sandbox.send([this.#sent++, bytes])
  }

  async #receive(): Promise<void> {
    const [number, digest, bytes] = (await this.sandbox.recv()) as [number, Uint8Array, Uint8Array]
    if (number !== this.exchanged)
      throw new Error(`lane ${this.lane}: expected answer ${this.exchanged}, got ${number}`)
    const expected = this.#digests.shift()!
    if (Buffer.compare(digest, expected) !== 0) throw new Error(`lane ${this.lane}: ${number} was not what was sent`)
    if (Buffer.compare(bytes.toReversed(), body(this.lane, number)) !== 0)
      throw new Error(`lane ${this.lane}: answer ${number} was not what was posted`)
    this.exchanged++
  }
}

/** A guest that posts as fast as it may, until it is told to stop. */
export class FloodLane {
  received = 0
  #digest: Buffer = genesis
  #flooding: Promise<unknown> | undefined

  constructor(
    readonly lane: number,
    readonly sandbox: Sandbox,
  ) {}

  async start(): Promise<void> {
    await this.sandbox.exec(`
import hashlib, threading
stop = threading.Event()
def listen():
    recv()
    stop.set()
threading.Thread(target=listen).start()
def flood():
    number, digest = 0, bytes(32)
    while not stop.is_set():
        piece = bytes([number & 255]) * (number % 1500)
        digest = hashlib.sha256(digest + piece).digest()
        post([number, piece])
        number += 1
    post(None)
    return [number, digest]
`)
    this.#flooding = this.sandbox.eval('flood()', { timeout: Number.POSITIVE_INFINITY })
    this.#flooding.catch(() => {})
  }

  stop(): Promise<void> {
    return this.sandbox.send(null)
  }

  /** Takes what came and comes, to its end. @throws what shows that a message was lost, doubled or changed */
  async read(): Promise<void> {
    for await (const message of this.sandbox.messages()) {
      if (message === null) break
      const [number, piece] = message as [number, Uint8Array]
      if (number !== this.received || piece.length !== number % 1500 || piece.some((byte) => byte !== (number & 255)))
        throw new Error(`flood ${this.lane}: expected message ${this.received}, got ${number}, or not what was posted`)
      this.#digest = chain(this.#digest, piece)
      this.received++
    }
    const [count, digest] = (await this.#flooding) as [number, Uint8Array]
    if (count !== this.received || Buffer.compare(digest, this.#digest) !== 0)
      throw new Error(`flood ${this.lane}: ${count} were posted, ${this.received} came, or others`)
  }
}

/** A guest that takes nothing until it is woken by an interrupt, and its peer, which sends while it may. */
export class DeafLane {
  /** Bytes of what `send` has taken. */
  accepted = 0

  constructor(
    readonly sandbox: Sandbox,
    private readonly stopped: () => boolean,
  ) {}

  wake(): void {
    this.sandbox.interrupt()
  }

  /** Until `stopped`; then until the guest has had everything. @throws what shows that a message was lost or doubled */
  async run(): Promise<void> {
    await this.sandbox.exec(`${echo}
import time
def sleep():
    try:
        while True: time.sleep(3600)
    except KeyboardInterrupt:
        return serve()
`)
    const served = this.sandbox.eval('sleep()', { timeout: Number.POSITIVE_INFINITY })
    served.catch(() => {})
    const answers = this.#answers()
    answers.catch(() => {})
    let digest: Buffer = genesis
    let sent = 0
    while (!this.stopped()) {
      const bytes = body(0, sent)
      await this.sandbox.send([sent++, bytes])
      this.accepted += bytes.length
      digest = chain(digest, bytes)
    }
    await this.sandbox.send(null)
    const [count, seen] = (await served) as [number, Uint8Array]
    await this.sandbox.exec('post(None)')
    if ((await answers) !== sent || count !== sent || Buffer.compare(seen, digest) !== 0)
      throw new Error(`a slow guest has seen ${count} of ${sent} messages, or others`)
  }

  async #answers(): Promise<number> {
    let next = 0
    for await (const message of this.sandbox.messages()) {
      if (message === null) break
      if ((message as [number])[0] !== next++) throw new Error('an answer was lost, or came twice')
    }
    return next
  }
}
