import { type ByteReader, type ByteStream, memoryStreamPair } from '../../src/index.js'

/** What somebody in the middle does with each chunk of bytes that goes by: gives on what it likes. */
export type Meddle = (bytes: Uint8Array) => readonly Uint8Array[]

/**
 * Two streams with somebody in between, who sees and changes what goes either way. Handshake bytes go through `shake`
 * until `attack` is called; whole frames then go through what it was given.
 */
export class Middle {
  readonly ends: [ByteStream, ByteStream]
  readonly #left: ByteStream
  readonly #right: ByteStream
  #toRight: Meddle = (bytes) => [bytes]
  #toLeft: Meddle = (bytes) => [bytes]

  constructor() {
    const [a, left] = memoryStreamPair()
    const [b, right] = memoryStreamPair()
    this.ends = [a, b]
    this.#left = left
    this.#right = right
    left.start(forward(right, (bytes) => this.#toRight(bytes)))
    right.start(forward(left, (bytes) => this.#toLeft(bytes)))
  }

  meddle(toRight: Meddle, toLeft: Meddle = (bytes) => [bytes]): void {
    this.#toRight = toRight
    this.#toLeft = toLeft
  }

  /** Ends the transport towards the right, as if the left had. */
  cut(): void {
    this.#right.end()
  }

  inject(bytes: Uint8Array, to: 'left' | 'right' = 'right'): Promise<void> {
    const stream = to === 'left' ? this.#left : this.#right
    return new Promise((resolve) => stream.write(Uint8Array.from(bytes), () => resolve()))
  }
}

function forward(to: ByteStream, meddle: Meddle): ByteReader {
  let queue = Promise.resolve()
  return {
    data(bytes) {
      for (const part of meddle(Uint8Array.from(bytes))) {
        const own = Uint8Array.from(part)
        queue = queue.then(() => new Promise((resolve) => to.write(own, () => resolve())))
      }
    },
    end: () => void queue.then(() => to.end()),
    fail: () => to.destroy(),
  }
}

/** Whole frames out of a stream's chunks: length and body together. */
export function frames(take: (frame: Uint8Array, number: number) => readonly Uint8Array[]): Meddle {
  let kept = new Uint8Array(0)
  let number = 0
  return (bytes) => {
    kept = Uint8Array.from([...kept, ...bytes])
    const out: Uint8Array[] = []
    for (;;) {
      const length = 2 + ((kept[0]! << 8) | kept[1]!)
      if (kept.length < 2 || kept.length < length) return out
      out.push(...take(kept.slice(0, length), number++))
      kept = kept.slice(length)
    }
  }
}
