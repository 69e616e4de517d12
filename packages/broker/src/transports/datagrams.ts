/** Who takes what comes. Never called before `start` has returned, nor after `end` or `fail`. */
export interface DatagramReader {
  /** One datagram, whole. The bytes belong to the transport again once this returns. */
  datagram(bytes: Uint8Array): void
  end(): void
  fail(error: Error): void
}

/** Messages of limited size that may be lost, doubled or overtaken: between two ends that are joined already. */
export interface Datagrams {
  /** No datagram is longer. */
  readonly maxBytes: number
  /** Once. */
  start(reader: DatagramReader): void
  /** `done` is called once, when `bytes` may be written to again; not a word on whether they arrive. */
  send(bytes: Uint8Array, done: (error?: Error | null) => void): void
  /** Idempotent, and the last call. */
  close(): void
}
