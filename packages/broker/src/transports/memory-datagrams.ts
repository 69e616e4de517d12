import type { DatagramReader, Datagrams } from './datagrams.js'

/** What becomes of a datagram on its way: each one that is given on arrives. Default: it arrives, once and in order. */
export type Passage = (bytes: Uint8Array) => readonly Uint8Array[]

export interface MemoryDatagramOptions {
  /** Default 65,507, as of UDP over IPv4. */
  readonly maxBytes?: number
  /** From the first end to the second, and back: for tests of loss and worse. */
  readonly there?: Passage
  readonly back?: Passage
}

/** Two joined ends in memory. */
export function memoryDatagramPair(options: MemoryDatagramOptions = {}): [Datagrams, Datagrams] {
  const { maxBytes = 65_507, there, back } = options
  const first = new MemoryDatagrams(maxBytes, there)
  const second = new MemoryDatagrams(maxBytes, back)
  first.join(second)
  second.join(first)
  return [first, second]
}

class MemoryDatagrams implements Datagrams {
  readonly maxBytes: number
  readonly #passage: Passage
  #peer: MemoryDatagrams = this
  #reader: DatagramReader | undefined
  #closed = false

  constructor(maxBytes: number, passage: Passage = (bytes) => [bytes]) {
    this.maxBytes = maxBytes
    this.#passage = passage
  }

  join(peer: MemoryDatagrams): void {
    this.#peer = peer
  }

  start(reader: DatagramReader): void {
    this.#reader = reader
    if (this.#peer.#closed) queueMicrotask(() => this.#end())
  }

  send(bytes: Uint8Array, done: (error?: Error | null) => void): void {
    const passed = bytes.length > this.maxBytes || this.#closed ? [] : this.#passage(Uint8Array.from(bytes))
    queueMicrotask(() => {
      for (const one of passed) this.#peer.#reader?.datagram(Uint8Array.from(one))
      done(bytes.length > this.maxBytes ? new Error('a datagram is too long') : null)
    })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#reader = undefined
    const peer = this.#peer
    queueMicrotask(() => peer.#end())
  }

  #end(): void {
    const reader = this.#reader
    this.#reader = undefined
    reader?.end()
  }
}
