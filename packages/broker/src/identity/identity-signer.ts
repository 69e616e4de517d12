import { randomBytes } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js'
import { BrokerOptionError } from '../errors/broker-option-error.js'
import { concat, wipe } from '../internal/bytes.js'
import { CONTEXT, writeBody } from '../internal/identity/layout.js'
import { DH_BYTES } from '../internal/noise/key-pair.js'
import type { TrustedSigner } from './identity.js'

const SEED = 32

export interface IdentityClaims {
  /** 1 to 255 bytes of UTF-8. */
  readonly name: string
  /** The static X25519 public key whose owner is called so. */
  readonly key: Uint8Array
  /** Default now. Whole seconds count. */
  readonly notBefore?: Date
  readonly notAfter: Date
}

/** Signs identity documents: with Ed25519, or with Ed25519 and ML-DSA-65. Keep it away from the machines it speaks of. */
export class IdentitySigner implements Disposable {
  /** What verifiers are given. */
  readonly publicKeys: TrustedSigner
  #seed: Uint8Array | undefined

  private constructor(seed: Uint8Array) {
    this.#seed = seed
    const { ed25519Seed, mlDsaSeed } = split(seed)
    let mlDsa65: Uint8Array | undefined
    if (mlDsaSeed) {
      const { publicKey, secretKey } = ml_dsa65.keygen(mlDsaSeed)
      mlDsa65 = publicKey
      wipe(secretKey)
    }
    this.publicKeys = Object.freeze({ ed25519: ed25519.getPublicKey(ed25519Seed), ...(mlDsa65 ? { mlDsa65 } : {}) })
  }

  /** `pq`: with ML-DSA-65 beside Ed25519. Default false. */
  static generate({ pq = false }: { readonly pq?: boolean } = {}): IdentitySigner {
    return new IdentitySigner(Uint8Array.from(randomBytes(pq ? 2 * SEED : SEED)))
  }

  /** From what `exportSeed` gave, which is copied. */
  static from(seed: Uint8Array): IdentitySigner {
    if (seed.length !== SEED && seed.length !== 2 * SEED) throw new BrokerOptionError('seed', '32 or 64 bytes')
    return new IdentitySigner(Uint8Array.from(seed))
  }

  /** 32 bytes (RFC 8032), with ML-DSA-65 64: the second half is xi of FIPS 204. A copy, to be guarded and wiped. */
  exportSeed(): Uint8Array {
    return Uint8Array.from(this.#live())
  }

  /** A document, to be handed to a channel as `identity`. @throws BrokerOptionError */
  sign({ name, key, notBefore = new Date(), notAfter }: IdentityClaims): Uint8Array {
    const seed = this.#live()
    const length = new TextEncoder().encode(name).length
    if (length === 0 || length > 255) throw new BrokerOptionError('name', '1 to 255 bytes of text')
    if (key.length !== DH_BYTES) throw new BrokerOptionError('key', `${DH_BYTES} bytes`)
    const from = wholeSeconds('notBefore', notBefore)
    const until = wholeSeconds('notAfter', notAfter)
    if (until <= from) throw new BrokerOptionError('notAfter', 'a time after notBefore')
    const body = writeBody({ name, key, notBefore: from, notAfter: until, signer: this.publicKeys })
    const { ed25519Seed, mlDsaSeed } = split(seed)
    const signatures = [ed25519.sign(concat(CONTEXT, body), ed25519Seed)]
    if (mlDsaSeed) {
      const { secretKey } = ml_dsa65.keygen(mlDsaSeed)
      signatures.push(ml_dsa65.sign(body, secretKey, { context: CONTEXT }))
      wipe(secretKey)
    }
    return concat(body, ...signatures)
  }

  wipe(): void {
    wipe(this.#seed)
    this.#seed = undefined
  }

  [Symbol.dispose](): void {
    this.wipe()
  }

  #live(): Uint8Array {
    if (this.#seed === undefined) throw new BrokerOptionError('signer', 'a signer that is not wiped')
    return this.#seed
  }
}

function split(seed: Uint8Array): { ed25519Seed: Uint8Array; mlDsaSeed: Uint8Array | undefined } {
  const mlDsaSeed = seed.length > SEED ? seed.subarray(SEED) : undefined
  return { ed25519Seed: seed.subarray(0, SEED), mlDsaSeed }
}

function wholeSeconds(option: string, date: Date): Date {
  const seconds = Math.floor(date.getTime() / 1000)
  if (!(seconds >= 0)) throw new BrokerOptionError(option, 'a time since 1970')
  return new Date(seconds * 1000)
}
