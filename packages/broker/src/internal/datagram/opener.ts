import { NONCE_BYTES } from '../../aead/sizes.js'
import type { ReceivingKey } from '../noise/cipher-state.js'
import { BODY_AT, epochOf, indexOf, writeNonce } from './packet.js'
import { ReplayWindow } from './replay-window.js'

/** Keys that a datagram may be ahead; they are made for a forgery, too, but once. */
const MOST_AHEAD = 32

interface Epoch {
  readonly number: number
  readonly key: ReceivingKey
  readonly window: ReplayWindow
}

/**
 * Opens datagrams by the counters they bring. It follows the sender to later keys, once a datagram is authentic under
 * one, and keeps the one before for a while, for what was overtaken.
 */
export class Opener {
  readonly #windowSize: number
  readonly #keepMs: number
  readonly #nonce = new Uint8Array(NONCE_BYTES)
  readonly #spans = new Uint32Array(2)
  #current: Epoch
  #previous: Epoch | undefined
  #timer: NodeJS.Timeout | undefined
  rekeys = 0

  constructor(key: ReceivingKey, windowSize: number, keepMs: number) {
    this.#windowSize = windowSize
    this.#keepMs = keepMs
    this.#current = { number: 0, key, window: new ReplayWindow(windowSize) }
  }

  /** Opens the body in place. */
  open(packet: Uint8Array): 'authentic' | 'authentication' | 'replay' {
    const number = epochOf(packet)
    const index = indexOf(packet)
    const known = number === this.#current.number ? this.#current : this.#previous
    if (known?.number === number) {
      if (!known.window.isNew(index)) return 'replay'
      if (!this.#try(known.key, packet)) return 'authentication'
      known.window.mark(index)
      return 'authentic'
    }
    if (number < this.#current.number) return 'replay'
    if (number - this.#current.number > MOST_AHEAD) return 'authentication'
    return this.#openAhead(packet, number, index)
  }

  wipe(): void {
    clearTimeout(this.#timer)
    this.#current.key.wipeAll()
    this.#forget()
  }

  #openAhead(packet: Uint8Array, number: number, index: number): 'authentic' | 'authentication' {
    const passed: ReceivingKey[] = []
    let key = this.#current.key.next()
    for (let at = this.#current.number + 1; at < number; at++) {
      passed.push(key)
      key = key.next()
    }
    if (!this.#try(key, packet)) return 'authentication'
    for (const one of passed) one.wipe()
    const window = new ReplayWindow(this.#windowSize)
    window.mark(index)
    this.rekeys += number - this.#current.number
    this.#forget()
    this.#previous = this.#current
    this.#current = { number, key, window }
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#forget(), this.#keepMs).unref()
    return 'authentic'
  }

  #forget(): void {
    this.#previous?.key.wipe()
    this.#previous = undefined
  }

  #try(key: ReceivingKey, packet: Uint8Array): boolean {
    writeNonce(packet, this.#nonce)
    this.#spans[0] = BODY_AT
    this.#spans[1] = packet.length - BODY_AT
    return key.open(this.#nonce, packet, this.#spans)
  }
}
