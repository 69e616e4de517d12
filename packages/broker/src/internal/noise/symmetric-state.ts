import type { Aead } from '@pyisolate/interface'
import { HandshakeError } from '../../errors/handshake-error.js'
import { NO_BYTES, wipe } from '../bytes.js'
import { CipherState } from './cipher-state.js'
import { HASH_BYTES, HashFunctions, type HashName } from './hash.js'

/** What both sides have said and derived so far (Noise, section 5.2). */
export class SymmetricState {
  readonly #aead: Aead
  readonly #functions: HashFunctions
  #chainingKey: Uint8Array
  #hash: Uint8Array
  #cipher: CipherState | undefined

  constructor(aead: Aead, hash: HashName, protocol: string) {
    this.#aead = aead
    this.#functions = new HashFunctions(hash)
    const name = new TextEncoder().encode(protocol)
    this.#hash = new Uint8Array(HASH_BYTES)
    if (name.length <= HASH_BYTES) this.#hash.set(name)
    else this.#hash = this.#functions.hash(name)
    this.#chainingKey = Uint8Array.from(this.#hash)
  }

  /** What is encrypted adds a tag; before there is a key, nothing is. */
  get hasKey(): boolean {
    return this.#cipher !== undefined
  }

  mixHash(data: Uint8Array): void {
    this.#hash = this.#functions.hashOf(this.#hash, data)
  }

  mixKey(material: Uint8Array): void {
    const [chainingKey, key] = this.#functions.hkdf(this.#chainingKey, material, 2)
    this.#replace(chainingKey!, key!)
  }

  mixKeyAndHash(material: Uint8Array): void {
    const [chainingKey, mixed, key] = this.#functions.hkdf(this.#chainingKey, material, 3)
    this.mixHash(mixed!)
    wipe(mixed)
    this.#replace(chainingKey!, key!)
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const sealed = this.#cipher?.encrypt(this.#hash, plaintext) ?? Uint8Array.from(plaintext)
    this.mixHash(sealed)
    return sealed
  }

  /** @throws HandshakeError `authentication` */
  decryptAndHash(sealed: Uint8Array): Uint8Array {
    const plaintext = this.#cipher === undefined ? Uint8Array.from(sealed) : this.#cipher.decrypt(this.#hash, sealed)
    if (plaintext === undefined) {
      throw new HandshakeError('authentication', 'a message is not authentic, or is sealed with other keys')
    }
    this.mixHash(sealed)
    return plaintext
  }

  /** The keys of the initiator's and of the responder's messages, and the hash that names this session. Ends the state. */
  split(): { initiator: CipherState; responder: CipherState; hash: Uint8Array } {
    const [first, second] = this.#functions.hkdf(this.#chainingKey, NO_BYTES, 2)
    const initiator = new CipherState(this.#aead, first!)
    const responder = new CipherState(this.#aead, second!)
    const hash = Uint8Array.from(this.#hash)
    wipe(first, second)
    this.wipe()
    return { initiator, responder, hash }
  }

  wipe(): void {
    wipe(this.#chainingKey, this.#hash)
    this.#cipher?.wipe()
    this.#cipher = undefined
  }

  #replace(chainingKey: Uint8Array, key: Uint8Array): void {
    wipe(this.#chainingKey)
    this.#chainingKey = chainingKey
    this.#cipher?.wipe()
    this.#cipher = new CipherState(this.#aead, key)
    wipe(key)
  }
}
