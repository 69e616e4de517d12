import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { HandshakeError } from '../../errors/handshake-error.js'
import { wipe } from '../bytes.js'

/** ML-KEM-768 (FIPS 203), section 8, table 3. */
export const KEM_PUBLIC_BYTES = 1184
export const KEM_CIPHERTEXT_BYTES = 1088

export class KemKeyPair {
  readonly publicKey: Uint8Array
  #secretKey: Uint8Array | undefined

  /** `seed`: d and z of FIPS 203, for tests; wiped. */
  constructor(seed?: Uint8Array) {
    const { publicKey, secretKey } = ml_kem768.keygen(seed)
    this.publicKey = publicKey
    this.#secretKey = secretKey
  }

  /** A ciphertext of the right length always gives a secret; a forged one gives one that nobody else has. */
  decapsulate(ciphertext: Uint8Array): Uint8Array {
    if (this.#secretKey === undefined) throw new HandshakeError('order', 'the encapsulation key is wiped')
    if (ciphertext.length !== KEM_CIPHERTEXT_BYTES)
      throw new HandshakeError('message', 'a ciphertext of another length')
    return ml_kem768.decapsulate(ciphertext, this.#secretKey)
  }

  wipe(): void {
    wipe(this.#secretKey)
    this.#secretKey = undefined
  }
}

/**
 * FIPS 203 section 7.2, with its checks of the key. `message`: 32 random bytes, for tests.
 * @throws HandshakeError `point`
 */
export function encapsulate(
  publicKey: Uint8Array,
  message?: Uint8Array,
): { ciphertext: Uint8Array; secret: Uint8Array } {
  try {
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, message)
    return { ciphertext: cipherText, secret: sharedSecret }
  } catch (cause) {
    throw new HandshakeError('point', 'an encapsulation key is not one', { cause })
  }
}
