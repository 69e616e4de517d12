import { HandshakeError } from '../../errors/handshake-error.js'
import { IdentityError } from '../../errors/identity-error.js'
import type { Identity } from '../../identity/identity.js'
import { verifyIdentity } from '../../identity/verify-identity.js'
import type { Remote } from '../../sealed-channel.js'
import { NO_BYTES, sameBytes } from '../bytes.js'
import type { SettledSetup } from './settle-setup.js'

/**
 * Who the peer is, by the messages it has written. A static key is known as soon as the message that brings it is
 * read, and the document comes in that message or a later one: so it is checked before this side says who it is.
 */
export class PeerCheck {
  readonly #setup: SettledSetup
  #identity: Identity | undefined

  constructor(setup: SettledSetup) {
    this.#setup = setup
  }

  /** What goes with this side's next message: the document, once its key is or has been sent. */
  payload(): Uint8Array {
    return this.#setup.handshake.isLastWrite ? this.#setup.identity : NO_BYTES
  }

  /** @throws HandshakeError `peer`, IdentityError */
  read(payload: Uint8Array): void {
    const { handshake, peer } = this.#setup
    const key = handshake.remoteKey
    if (peer === undefined || key === undefined || !handshake.peerHasWrittenLast) return
    try {
      if (peer.keys && !peer.keys.some((one) => sameBytes(one, key))) {
        throw new HandshakeError('peer', 'the peer has a key that is not wanted')
      }
      if (peer.signers === undefined) return
      if (payload.length === 0) throw new IdentityError('missing', 'it sent no document')
      this.#identity = verifyIdentity(payload, { signers: peer.signers, key })
    } catch (error) {
      handshake.wipe()
      throw error
    }
  }

  remote(): Remote {
    return Object.freeze({ key: this.#setup.handshake.remoteKey, identity: this.#identity })
  }
}
