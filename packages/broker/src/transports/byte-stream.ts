/** A stream gives at most so many bytes at once. */
export const MAX_CHUNK = 65_536

/** Who takes what a stream brings. Never called before `start` has returned, nor after `end` or `fail`. */
export interface ByteReader {
  /** At most `MAX_CHUNK` bytes, which belong to the stream again once this returns. */
  data(bytes: Uint8Array): void
  /** The peer has ended its side in good order. Whether it was the peer who did, only a channel's own close tells. */
  end(): void
  fail(error: Error): void
}

/**
 * A reliable, ordered stream of bytes both ways: what a channel runs over. `socketStream` and `memoryStreamPair` make
 * one; a ring in shared memory becomes one by these few methods.
 */
export interface ByteStream {
  /** Once. What came before is kept for the reader. */
  start(reader: ByteReader): void
  /**
   * `done` is called once: without an error when the stream has taken every byte and `bytes` may be written to again,
   * which may be before this returns. Nobody writes again before that: so a slow peer holds its writer back.
   */
  write(bytes: Uint8Array, done: (error?: Error | null) => void): void
  /** Stops `data` at once, until `resume`; what the peer goes on sending waits on its side. Idempotent. */
  pause(): void
  resume(): void
  /** No more will be written. What was written still arrives. */
  end(): void
  /** Ends both sides now. Idempotent, and the last call. */
  destroy(): void
}
