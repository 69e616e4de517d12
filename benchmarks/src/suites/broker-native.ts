import { randomBytes } from 'node:crypto'
import { createNativeAead } from '@pyisolate/native'
import type { Context } from '../context.js'
import { type Figure, figure } from '../figure.js'
import { alternate } from '../internal/alternate.js'
import { check, type Suite } from '../suite.js'

const TAG = 16
const BATCH = 64
// As many texts as a sample of the limit has: both are as likely to be interrupted.
const BATCHES = 16

/** The fast path of a channel by itself: whole batches in one buffer, under counters that go up. */
class Lane {
  readonly #spans = new Uint32Array(2 * BATCH)
  readonly #buffer: Uint8Array
  readonly #sealed: Uint8Array
  readonly #text: Uint8Array
  readonly #secret = Uint8Array.from(randomBytes(32))
  readonly #key = createNativeAead().createKey(this.#secret)
  readonly #nonce = new Uint8Array(12)
  #counter = 0

  constructor(bytes: number) {
    const size = bytes + TAG
    this.#buffer = new Uint8Array(BATCH * size)
    this.#text = Uint8Array.from(randomBytes(bytes))
    for (let at = 0; at < BATCH; at++) {
      this.#spans.set([at * size, size], 2 * at)
      this.#buffer.set(this.#text, at * size)
    }
    this.#key.sealMany(this.#nonce, this.#buffer, this.#spans, BATCH)
    this.#sealed = this.#buffer.slice()
  }

  /** Texts sealed per second. What is sealed is sealed once more: one text is as good as another. */
  seal(): number {
    const start = performance.now()
    for (let batch = 0; batch < BATCHES; batch++) {
      this.#counter += BATCH
      new DataView(this.#nonce.buffer).setBigUint64(4, BigInt(this.#counter), true)
      this.#key.sealMany(this.#nonce, this.#buffer, this.#spans, BATCH)
    }
    return (BATCHES * BATCH * 1000) / (performance.now() - start)
  }

  /** Texts opened per second; laying them out once more doesn't count. */
  open(): number {
    const first = new Uint8Array(12)
    let ms = 0
    for (let batch = 0; batch < BATCHES; batch++) {
      this.#buffer.set(this.#sealed)
      const start = performance.now()
      const opened = this.#key.openMany(first, this.#buffer, this.#spans, BATCH)
      ms += performance.now() - start
      check(opened === BATCH, 'what was opened')
    }
    const last = this.#buffer.subarray(-this.#text.length - TAG, -TAG)
    check(Buffer.compare(last, this.#text) === 0, 'the text that was opened')
    return (BATCHES * BATCH * 1000) / ms
  }
}

async function rates(context: Context, name: string, bytes: number): Promise<Figure[]> {
  using limits = context.limits()
  const lane = new Lane(bytes)
  const perSecond = async () => (await limits.samples(`seal 1 0 ${bytes}`)).map((ns) => 1e12 / ns)
  const parts = [async () => lane.seal(), async () => lane.open(), perSecond]
  await alternate(context.count(10, 1), parts) // to warm up
  const [seal, open, limit] = await alternate(context.count(100, 2), parts)
  return [
    figure({ name: `aead.seal.${name}`, unit: 'per s', samples: seal!, limit: limit!, better: 'higher' }),
    figure({ name: `aead.open.${name}`, unit: 'per s', samples: open!, limit: limit!, better: 'higher' }),
  ]
}

export const brokerNative: Suite = {
  name: 'aead',
  limit: "OpenSSL's ChaCha20-Poly1305 on one core, as `openssl speed` runs it",
  run: async (context) => [...(await rates(context, '64B', 64)), ...(await rates(context, '1kB', 1024))],
}
