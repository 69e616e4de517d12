import type { Channel } from '@pyisolate/interface'
import type { ChannelError } from './errors/channel-error.js'
import type { Identity } from './identity/identity.js'

/**
 * How a channel ended. `by`: who closed it in good order. `answered`: the other side has closed it, too; false after
 * `closeTimeoutMs`, and then nobody knows whether it got what was sent last.
 */
export type ChannelEnd =
  | { readonly kind: 'closed'; readonly by: 'us' | 'peer'; readonly answered: boolean }
  | { readonly kind: 'failed'; readonly error: ChannelError }

/** Who is at the other end, as the handshake has proved it. */
export interface Remote {
  /** The static X25519 key that the peer has; none in `NN`. */
  readonly key: Uint8Array | undefined
  /** What a trusted signer says of that key; only where `peer.signers` were given. */
  readonly identity: Identity | undefined
}

/** Frames both ways, keys left behind, and what waits. */
export interface ChannelStats {
  readonly framesSent: number
  readonly framesReceived: number
  readonly rekeysSent: number
  readonly rekeysReceived: number
  /** Messages to be taken. */
  readonly received: number
  /** Sends that wait for room. */
  readonly waiting: number
}

/**
 * An authenticated, sealed channel. The first byte that isn't what the peer sent, in its place, ends it: `messages()`
 * gives what was authenticated before, and then throws. Can't be copied, serialised or resumed.
 */
export interface SealedChannel extends Channel {
  readonly remote: Remote
  /** The same on both sides, and of no other session: to bind something else to this channel. */
  readonly handshakeHash: Uint8Array
  /** Resolves, never rejects, when the channel has ended. */
  readonly closed: Promise<ChannelEnd>
  /**
   * The next message without copying it: the bytes are lent until `take`, `readable` or `close` is called again, and are
   * overwritten afterwards. `undefined`: there is none now. Don't mix it with a reader of `messages()` that runs.
   */
  take(): Uint8Array | undefined
  /**
   * Resolves with true when there is a message to take, with false when none will come.
   * @throws ChannelError when the channel has failed, or `signal.reason`
   */
  readable(options?: { readonly signal?: AbortSignal }): Promise<boolean>
  /** Has the peer take another key for what is sent from now on; does nothing when this one was never used. */
  rekey(): void
  stats(): ChannelStats
}
