import { x25519 } from '@noble/curves/ed25519.js'
import { BrokerOptionError } from '../../errors/broker-option-error.js'
import { HandshakeError } from '../../errors/handshake-error.js'
import { wipe } from '../bytes.js'

export const DH_BYTES = 32

/** An X25519 key pair (RFC 7748). Whoever made it wipes it; a handshake never does. */
export class KeyPair implements Disposable {
  readonly publicKey: Uint8Array
  #privateKey: Uint8Array | undefined

  private constructor(privateKey: Uint8Array) {
    this.#privateKey = privateKey
    this.publicKey = x25519.getPublicKey(privateKey)
  }

  static generate(): KeyPair {
    return new KeyPair(x25519.utils.randomSecretKey())
  }

  /** From 32 bytes, which are copied. */
  static from(privateKey: Uint8Array): KeyPair {
    if (!(privateKey instanceof Uint8Array) || privateKey.length !== DH_BYTES) {
      throw new BrokerOptionError('privateKey', `${DH_BYTES} bytes`)
    }
    return new KeyPair(Uint8Array.from(privateKey))
  }

  /** A copy, to be kept where nobody else reads it, and wiped. */
  exportPrivateKey(): Uint8Array {
    return Uint8Array.from(this.#live())
  }

  /**
   * RFC 7748 section 6.1, with its check: a public key of low order gives everybody the same secret, and is refused.
   * @throws HandshakeError `point`
   */
  agree(publicKey: Uint8Array): Uint8Array {
    const privateKey = this.#live()
    if (publicKey.length !== DH_BYTES) throw new HandshakeError('point', 'a public key has another length')
    let secret: Uint8Array
    try {
      secret = x25519.getSharedSecret(privateKey, publicKey)
    } catch (cause) {
      throw new HandshakeError('point', 'a public key is of low order', { cause })
    }
    if (secret.every((byte) => byte === 0)) throw new HandshakeError('point', 'a public key is of low order')
    return secret
  }

  wipe(): void {
    wipe(this.#privateKey)
    this.#privateKey = undefined
  }

  [Symbol.dispose](): void {
    this.wipe()
  }

  #live(): Uint8Array {
    if (this.#privateKey === undefined) throw new BrokerOptionError('keys', 'a key pair that is not wiped')
    return this.#privateKey
  }
}
