import { HandshakeError } from '../../errors/handshake-error.js'
import { NO_BYTES, wipe } from '../bytes.js'
import type { CipherState } from './cipher-state.js'
import { type Settled, settle } from './handshake-options.js'
import { encapsulate, KEM_CIPHERTEXT_BYTES, KEM_PUBLIC_BYTES, KemKeyPair } from './kem.js'
import { DH_BYTES, KeyPair } from './key-pair.js'
import { MessageReader, MessageWriter } from './message.js'
import type { HandshakeOptions } from './options.js'
import type { Token } from './patterns.js'
import { SymmetricState } from './symmetric-state.js'

/** What a finished handshake leaves: one key for each direction, and a name of the session that both sides share. */
export interface HandshakeSession {
  readonly send: CipherState
  readonly receive: CipherState
  readonly handshakeHash: Uint8Array
  readonly remoteKey: Uint8Array | undefined
}

/** Where keys come from that live for one handshake only. Tests with published vectors have another source. */
export interface EphemeralSource {
  keyPair(): KeyPair
  kemSeed(): Uint8Array | undefined
  kemMessage(): Uint8Array | undefined
}

const SYSTEM: EphemeralSource = {
  keyPair: () => KeyPair.generate(),
  kemSeed: () => undefined,
  kemMessage: () => undefined,
}

/** One run of a Noise handshake (section 5.3). Whatever goes wrong, or comes out of order, ends it and wipes its keys. */
export class Handshake implements Disposable {
  readonly protocol: string
  readonly uncloneable = (): never => {
    throw new TypeError('a handshake has no copy')
  }

  readonly #settled: Settled
  readonly #source: EphemeralSource
  readonly #symmetric: SymmetricState
  #remoteStatic: Uint8Array | undefined
  #remoteEphemeral: Uint8Array | undefined
  #remoteKem: Uint8Array | undefined
  #ephemeral: KeyPair | undefined
  #kem: KemKeyPair | undefined
  #next = 0
  #failed = false
  #taken = false

  constructor(options: HandshakeOptions, source: EphemeralSource = SYSTEM) {
    this.#settled = settle(options)
    this.#source = source
    this.protocol = this.#settled.protocol
    this.#remoteStatic = this.#settled.remoteKey
    this.#symmetric = new SymmetricState(this.#settled.aead, this.#settled.hash, this.protocol)
    this.#symmetric.mixHash(this.#settled.prologue)
    const { knows } = this.#settled.pattern
    if (knows.initiator) this.#symmetric.mixHash(this.#staticKeyOf('initiator'))
    if (knows.responder) this.#symmetric.mixHash(this.#staticKeyOf('responder'))
  }

  /** Whose turn it is; `done` once both have said everything, `failed` for good. */
  get turn(): 'write' | 'read' | 'done' | 'failed' {
    if (this.#failed) return 'failed'
    if (this.#next === this.#settled.pattern.messages.length) return 'done'
    return (this.#next % 2 === 0) === (this.#settled.role === 'initiator') ? 'write' : 'read'
  }

  /** True when the next message is the last one that this side writes: what identifies it belongs there. */
  get isLastWrite(): boolean {
    return this.turn === 'write' && this.#next + 2 >= this.#settled.pattern.messages.length
  }

  /** True when the message that was read was the peer's last. */
  get peerHasWrittenLast(): boolean {
    const left = this.#settled.pattern.messages.length - this.#next
    return left === 0 || (left === 1 && this.turn === 'write')
  }

  get remoteKey(): Uint8Array | undefined {
    return this.#remoteStatic && Uint8Array.from(this.#remoteStatic)
  }

  /** The next message, with `payload` as protected as the pattern has it at this place. @throws HandshakeError */
  writeMessage(payload: Uint8Array = NO_BYTES): Uint8Array {
    return this.#step('write', (tokens) => {
      const message = new MessageWriter()
      for (const token of tokens) this.#write(token, message)
      message.add(this.#symmetric.encryptAndHash(payload))
      return message.finish()
    })
  }

  /** Reads the peer's next message and gives its payload. @throws HandshakeError */
  readMessage(bytes: Uint8Array): Uint8Array {
    return this.#step('read', (tokens) => {
      const message = new MessageReader(bytes)
      for (const token of tokens) this.#read(token, message)
      return this.#symmetric.decryptAndHash(message.rest())
    })
  }

  /** Once, when `turn` is `done`. @throws HandshakeError `order` */
  session(): HandshakeSession {
    if (this.turn !== 'done' || this.#taken) this.#fail(new HandshakeError('order', 'there is no session to take'))
    this.#taken = true
    const { initiator, responder, hash } = this.#symmetric.split()
    const [send, receive] = this.#settled.role === 'initiator' ? [initiator, responder] : [responder, initiator]
    const remoteKey = this.remoteKey
    this.#wipeKeys()
    return Object.freeze({ send, receive, handshakeHash: hash, remoteKey })
  }

  /** Ends it, in whatever state. The static key pair is the caller's, and stays. */
  wipe(): void {
    if (!this.#taken) this.#failed = true
    this.#symmetric.wipe()
    this.#wipeKeys()
  }

  [Symbol.dispose](): void {
    this.wipe()
  }

  #step(turn: 'write' | 'read', take: (tokens: readonly Token[]) => Uint8Array): Uint8Array {
    if (this.turn !== turn) this.#fail(new HandshakeError('order', `a ${turn} when the turn is "${this.turn}"`))
    try {
      const result = take(this.#settled.pattern.messages[this.#next]!)
      this.#next++
      return result
    } catch (error) {
      return this.#fail(error)
    }
  }

  #fail(error: unknown): never {
    this.wipe()
    throw error
  }

  #write(token: Token, message: MessageWriter): void {
    const { keys } = this.#settled
    if (token === 'e') {
      this.#ephemeral = this.#source.keyPair()
      message.add(this.#ephemeral.publicKey)
      this.#mixEphemeral(this.#ephemeral.publicKey)
    } else if (token === 's') {
      message.add(this.#symmetric.encryptAndHash(keys!.publicKey))
    } else if (token === 'e1') {
      this.#kem = new KemKeyPair(this.#source.kemSeed())
      message.add(this.#symmetric.encryptAndHash(this.#kem.publicKey))
    } else if (token === 'ekem1') {
      const { ciphertext, secret } = encapsulate(this.#remoteKem!, this.#source.kemMessage())
      message.add(this.#symmetric.encryptAndHash(ciphertext))
      this.#mixSecret(secret)
    } else this.#mix(token)
  }

  #read(token: Token, message: MessageReader): void {
    if (token === 'e') {
      this.#remoteEphemeral = message.take(DH_BYTES, false)
      this.#mixEphemeral(this.#remoteEphemeral)
    } else if (token === 's') {
      this.#remoteStatic = this.#symmetric.decryptAndHash(message.take(DH_BYTES, this.#symmetric.hasKey))
    } else if (token === 'e1') {
      this.#remoteKem = this.#symmetric.decryptAndHash(message.take(KEM_PUBLIC_BYTES, this.#symmetric.hasKey))
    } else if (token === 'ekem1') {
      const ciphertext = this.#symmetric.decryptAndHash(message.take(KEM_CIPHERTEXT_BYTES, this.#symmetric.hasKey))
      this.#mixSecret(this.#kem!.decapsulate(ciphertext))
    } else this.#mix(token)
  }

  #mix(token: Token): void {
    if (token === 'psk') {
      this.#symmetric.mixKeyAndHash(this.#settled.takePsk())
      return
    }
    const [initiators, responders] = token
    const [ours, theirs] = this.#settled.role === 'initiator' ? [initiators, responders] : [responders, initiators]
    const pair = ours === 'e' ? this.#ephemeral! : this.#settled.keys!
    this.#mixSecret(pair.agree(theirs === 'e' ? this.#remoteEphemeral! : this.#remoteStatic!))
  }

  #mixSecret(secret: Uint8Array): void {
    this.#symmetric.mixKey(secret)
    wipe(secret)
  }

  /** Noise, section 9.2: with a pre-shared key, ephemeral keys make every message's key another one. */
  #mixEphemeral(publicKey: Uint8Array): void {
    this.#symmetric.mixHash(publicKey)
    if (this.#settled.hasPsk) this.#symmetric.mixKey(publicKey)
  }

  #staticKeyOf(role: 'initiator' | 'responder'): Uint8Array {
    return role === this.#settled.role ? this.#settled.keys!.publicKey : this.#remoteStatic!
  }

  #wipeKeys(): void {
    this.#ephemeral?.wipe()
    this.#kem?.wipe()
    this.#settled.wipe()
  }
}
