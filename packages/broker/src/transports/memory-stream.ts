import type { ByteReader, ByteStream } from './byte-stream.js'
import { MAX_CHUNK } from './byte-stream.js'

/** Two ends of a stream in memory: for tests, and for embedders whose both sides are in one process. */
export function memoryStreamPair(): [ByteStream, ByteStream] {
  const first = new MemoryStream()
  const second = new MemoryStream()
  first.join(second)
  second.join(first)
  return [first, second]
}

type Done = (error?: Error | null) => void

class MemoryStream implements ByteStream {
  #peer: MemoryStream | undefined
  #reader: ByteReader | undefined
  #paused = false
  /** What the peer writes and this end has not taken yet: its own bytes, not a copy. */
  #incoming: { bytes: Uint8Array; at: number; done: Done } | undefined
  #peerEnded = false
  #destroyed = false
  #scheduled = false

  join(peer: MemoryStream): void {
    this.#peer = peer
  }

  start(reader: ByteReader): void {
    this.#reader = reader
    this.#schedule()
  }

  write(bytes: Uint8Array, done: Done): void {
    if (this.#destroyed || this.#peer!.#destroyed) {
      queueMicrotask(() => done(new Error('the stream is closed')))
      return
    }
    this.#peer!.#incoming = { bytes, at: 0, done }
    this.#peer!.#schedule()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  end(): void {
    this.#peer!.#peerEnded = true
    this.#peer!.#schedule()
  }

  destroy(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    const unread = this.#incoming
    this.#incoming = undefined
    unread?.done(new Error('the stream is closed'))
    this.end()
  }

  /** Never from within a call of the reader's: as with a real transport, its stack is its own. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#deliver()
    })
  }

  #deliver(): void {
    const reader = this.#reader
    if (reader === undefined) return
    while (this.#incoming !== undefined && !this.#paused && !this.#destroyed) {
      const { bytes, at, done } = this.#incoming
      const chunk = bytes.subarray(at, at + MAX_CHUNK)
      this.#incoming.at += chunk.length
      const last = this.#incoming.at >= bytes.length
      // Taken, whatever the reader makes of it.
      if (last) this.#incoming = undefined
      reader.data(chunk)
      if (last) done()
    }
    if (this.#peerEnded && this.#incoming === undefined && !this.#paused && !this.#destroyed) {
      this.#reader = undefined
      reader.end()
    }
  }
}
