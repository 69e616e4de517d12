import type { SealOptions } from './channel-options.js'
import type { TrustedSigner } from './identity/identity.js'
import type { HandshakeOptions } from './internal/noise/options.js'

/**
 * Which peers are wanted. All that is given must hold. `anyone` says that the handshake is not to prove who the peer is:
 * somebody in the middle is then a peer like any other.
 */
export type PeerRule =
  | 'anyone'
  | {
      /** Its static key is one of these. */
      readonly keys?: readonly Uint8Array[]
      /** One of these has signed its static key; its name is then in `channel.remote.identity`. */
      readonly signers?: readonly TrustedSigner[]
    }

export interface ChannelSetup extends HandshakeOptions, SealOptions {
  /**
   * Needed wherever the pattern and its keys don't say it: by both in `XX`, by the responder of `IK`, and in `NN`
   * without a pre-shared key.
   */
  readonly peer?: PeerRule
  /** This side's document, of `signIdentity`, for a peer that has `signers`. */
  readonly identity?: Uint8Array
  /** Milliseconds for the whole handshake. Default 10,000. */
  readonly handshakeTimeoutMs?: number
  /** Gives the handshake up: it rejects with `signal.reason`. Ignored once there is a channel. */
  readonly signal?: AbortSignal
}
