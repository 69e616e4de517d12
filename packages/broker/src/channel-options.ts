import type { MetricsSink } from '@pyisolate/interface'

/** How much longer a sealed message gets, so that its length says less. Lengths beyond one frame's are not hidden. */
export type Padding =
  /** Up to a multiple of so many bytes, 1 (none, the default for datagrams) to 65,516. */
  | number
  /**
   * To whole blocks of the cipher, 64 bytes, where that is at most an eighth more; the default on streams. It hides little:
   * the last part of a block costs as much as eight whole ones.
   */
  | 'blocks'
  /** By at most 12 %, to one of few lengths (Padmé; Nikitin and others, PETS 2019, section 4). */
  | 'padme'

/** What a channel may use and how long it keeps a key. All have defaults. */
export interface ChannelLimits {
  /** A longer message is refused by `send`, and ends the channel if the peer sends it. Default 16 MiB. */
  readonly maxMessageBytes?: number
  /** Received bytes that wait to be taken; beyond, the transport is paused. At least 192 KiB, the default 256 KiB. */
  readonly receiveBytes?: number
  /** Received messages that wait to be taken; beyond, the transport is paused. Default 1024. */
  readonly receiveMessages?: number
  /** Bytes in each of two buffers, one on its way and one to follow; beyond, `send` waits. At least 128 KiB, default 256 KiB. */
  readonly sendBytes?: number
  /** Sends that wait; a further one is refused with a `ChannelError` `queue`. Default 1024. */
  readonly maxWaitingSends?: number
  /** Frames under one key, 1 to 2^32 - 1. Default 2^20. */
  readonly rekeyAfterMessages?: number
  /** Milliseconds under one key, if it was used. Default 120,000; `Infinity` for no limit. */
  readonly rekeyAfterMs?: number
  /** Milliseconds that `close()` waits for the peer's own close. Default 5,000. */
  readonly closeTimeoutMs?: number
}

export interface SealOptions {
  readonly limits?: ChannelLimits
  readonly padding?: Padding
  /** Told of failures, rekeys and refused datagrams: see the package's README for the names. */
  readonly metrics?: MetricsSink
}
