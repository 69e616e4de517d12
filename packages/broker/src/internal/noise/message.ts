import { TAG_BYTES } from '../../aead/sizes.js'
import { HandshakeError } from '../../errors/handshake-error.js'
import { concat } from '../bytes.js'

/** Noise, section 3: no message is longer. */
export const MAX_NOISE_MESSAGE = 65_535

export class MessageWriter {
  readonly #parts: Uint8Array[] = []

  add(part: Uint8Array): void {
    this.#parts.push(part)
  }

  /** @throws HandshakeError `message` */
  finish(): Uint8Array {
    const message = concat(...this.#parts)
    if (message.length > MAX_NOISE_MESSAGE) throw new HandshakeError('message', 'the payload is too long')
    return message
  }
}

/** Reads the peer's bytes once, in order, and never past their end. */
export class MessageReader {
  readonly #bytes: Uint8Array
  #at = 0

  /** @throws HandshakeError `message` */
  constructor(bytes: Uint8Array) {
    if (bytes.length > MAX_NOISE_MESSAGE) throw new HandshakeError('message', 'a message is too long')
    this.#bytes = Uint8Array.from(bytes)
  }

  /** @throws HandshakeError `message` */
  take(length: number, sealed: boolean): Uint8Array {
    const end = this.#at + length + (sealed ? TAG_BYTES : 0)
    if (end > this.#bytes.length) throw new HandshakeError('message', 'a message is too short')
    const part = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return part
  }

  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at)
  }
}
