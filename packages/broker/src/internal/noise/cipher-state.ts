import type { Aead, AeadKey } from '@pyisolate/interface'
import { advance, isLast } from '../../aead/counter.js'
import { KEY_BYTES, NONCE_BYTES, TAG_BYTES } from '../../aead/sizes.js'
import { ChannelError } from '../../errors/channel-error.js'
import { NO_BYTES, wipe } from '../bytes.js'

const LAST_NONCE = new Uint8Array(NONCE_BYTES).fill(0xff, 4)
const ZEROS = new Uint8Array(KEY_BYTES)

/**
 * One direction's key and counter (Noise, section 5.1).
 *
 * No two messages can meet one key with one counter: both are private to this object, nothing sets the counter, it moves
 * on before the cipher is called, and a copy can't be made: the object holds a function, so that structured cloning and
 * serialising refuse it.
 */
export class CipherState {
  readonly uncloneable = (): never => {
    throw new TypeError('a cipher state has no copy')
  }

  readonly #aead: Aead
  #key: AeadKey | undefined
  readonly #nonce = new Uint8Array(NONCE_BYTES)
  /** The counter of the call under way: `#nonce` is past it already. */
  readonly #current = new Uint8Array(NONCE_BYTES)
  #used = 0

  /** The key is copied. */
  constructor(aead: Aead, key: Uint8Array) {
    this.#aead = aead
    this.#key = aead.createKey(key)
  }

  /** Messages under the present key. */
  get used(): number {
    return this.#used
  }

  /** @throws ChannelError `exhausted` */
  encrypt(associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const key = this.#take(1)
    const sealed = new Uint8Array(plaintext.length + TAG_BYTES)
    key.seal(this.#current, associatedData, plaintext, sealed)
    return sealed
  }

  /** `undefined`: not authentic. @throws ChannelError `exhausted` */
  decrypt(associatedData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < TAG_BYTES) return undefined
    const key = this.#take(1)
    const plaintext = new Uint8Array(sealed.length - TAG_BYTES)
    return key.open(this.#current, associatedData, sealed, plaintext) ? plaintext : undefined
  }

  /** As `AeadKey.sealMany`. @throws ChannelError `exhausted` */
  sealMany(buffer: Uint8Array, spans: Uint32Array, count: number): void {
    this.#take(count).sealMany(this.#current, buffer, spans, count)
  }

  /** As `AeadKey.openMany`. Fewer than `count`: the state is past them all, and good for nothing any more. */
  openMany(buffer: Uint8Array, spans: Uint32Array, count: number): number {
    return this.#take(count).openMany(this.#current, buffer, spans, count)
  }

  /** Noise, section 11.3: another key, made of this one by a one-way function. The counter goes on. */
  rekey(): void {
    const old = this.#live()
    this.#key = nextKey(this.#aead, old)
    this.#used = 0
    old.wipe()
  }

  /** Leaves so many counters out: forwards only, like all that moves it. @throws ChannelError `exhausted` */
  skip(count: number): void {
    this.#take(count)
  }

  /** The key, for who gets counters from elsewhere, and can only open. The state is wiped. */
  intoReceivingKey(): ReceivingKey {
    const key = this.#live()
    this.#key = undefined
    this.wipe()
    return new ReceivingKey(this.#aead, key)
  }

  wipe(): void {
    this.#key?.wipe()
    this.#key = undefined
    wipe(this.#nonce, this.#current)
  }

  #live(): AeadKey {
    if (this.#key === undefined) throw new ChannelError('closed', 'the key is wiped')
    return this.#key
  }

  #take(count: number): AeadKey {
    const key = this.#live()
    this.#current.set(this.#nonce)
    // The last value is never reached, so that a counter that has wrapped can't be mistaken for a new one.
    if (!advance(this.#nonce, count) || isLast(this.#nonce)) {
      this.wipe()
      throw new ChannelError('exhausted', 'no counter is left for another message')
    }
    this.#used += count
    return key
  }
}

/** A key that opens what it is given the counter of, and seals nothing. */
export class ReceivingKey {
  readonly #aead: Aead
  readonly #key: AeadKey
  #next: ReceivingKey | undefined

  constructor(aead: Aead, key: AeadKey) {
    this.#aead = aead
    this.#key = key
  }

  /** Opens one text in place, as `AeadKey.openMany`. */
  open(nonce: Uint8Array, buffer: Uint8Array, spans: Uint32Array): boolean {
    return this.#key.openMany(nonce, buffer, spans, 1) === 1
  }

  /** The one after it, made once: so a forger has nobody make keys again and again. This one stays. */
  next(): ReceivingKey {
    this.#next ??= new ReceivingKey(this.#aead, nextKey(this.#aead, this.#key))
    return this.#next
  }

  wipe(): void {
    this.#key.wipe()
  }

  /** This one, and those after it that were made. */
  wipeAll(): void {
    this.wipe()
    this.#next?.wipeAll()
    this.#next = undefined
  }
}

function nextKey(aead: Aead, key: AeadKey): AeadKey {
  const bytes = new Uint8Array(KEY_BYTES + TAG_BYTES)
  key.seal(LAST_NONCE, NO_BYTES, ZEROS, bytes)
  const next = aead.createKey(bytes.subarray(0, KEY_BYTES))
  wipe(bytes)
  return next
}
