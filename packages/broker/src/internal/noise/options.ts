import type { Aead } from '@pyisolate/interface'
import type { HashName } from './hash.js'
import type { KeyPair } from './key-pair.js'
import type { PatternName } from './patterns.js'

export interface PreSharedKey {
  /** Noise, section 9.4: 0 for the beginning of the first message, otherwise the end of that message, counted from 1. */
  readonly place: number
  /** 32 bytes that nobody else knows, copied. */
  readonly key: Uint8Array
}

export interface HandshakeOptions {
  /** The initiator writes first. */
  readonly role: 'initiator' | 'responder'
  readonly pattern: PatternName
  /** Default `SHA256`. */
  readonly hash?: HashName
  /**
   * Adds ML-KEM-768, so that what is recorded today stays secret from whoever breaks X25519 later. Both sides must want
   * it: there is no falling back. It does not authenticate: static keys are X25519. Default false.
   */
  readonly pq?: boolean
  /** This side's static key pair, in every pattern but `NN`. Stays the caller's. */
  readonly keys?: KeyPair
  /** The peer's static public key, where the pattern has it known: `KK`, and the initiator of `IK`. */
  readonly remoteKey?: Uint8Array
  /** The same ones, in the same places, on both sides. */
  readonly psks?: readonly PreSharedKey[]
  /** What both sides must agree on beside the messages. Default none. */
  readonly prologue?: Uint8Array
  /** Default `nobleAead`. */
  readonly aead?: Aead
}
