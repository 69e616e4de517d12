import { malformed } from './malformed-error.js'

/** CBOR major types (RFC 8949 section 3.1). */
export const Major = { uint: 0, negint: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6, simple: 7 } as const

/** Reads initial bytes ("heads") of data items and nothing else; each `read` fills the fields. */
export class HeadReader {
  /** Where the next head starts; content of strings is skipped with `skip`. */
  position = 0
  major = 0
  /** The low five bits: for major type 7 they tell floats and simple values apart. */
  info = 0
  /** The argument; beyond 2^53 it is rounded, which only an integer may be. */
  argument = 0
  readonly #bytes: Uint8Array
  readonly #view: DataView

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get remaining(): number {
    return this.#bytes.length - this.position
  }

  read(): void {
    const start = this.position
    const initial = this.#bytes[start]
    if (initial === undefined) malformed('the value ends early', start)
    this.major = initial >> 5
    this.info = initial & 31
    this.position += 1
    if (this.info < 24) {
      this.argument = this.info
      return
    }
    if (this.info > 27) malformed(this.info === 31 ? 'an indefinite length' : 'a reserved length', start)
    const width = 1 << (this.info - 24)
    if (width > this.remaining) malformed('the value ends early', start)
    this.argument = this.#unsigned(this.position, width)
    this.position += width
    // One value, one encoding (preferred serialization, section 4.1); duplicate keys are found by their bytes.
    if (this.major !== Major.simple && this.argument < (width === 1 ? 24 : 2 ** (width * 4))) {
      malformed('a length or integer is not in its shortest form', start)
    }
  }

  skip(count: number): void {
    if (count > this.remaining) malformed('the value ends early', this.position)
    this.position += count
  }

  #unsigned(at: number, width: number): number {
    if (width === 1) return this.#view.getUint8(at)
    if (width === 2) return this.#view.getUint16(at)
    if (width === 4) return this.#view.getUint32(at)
    return this.#view.getUint32(at) * 2 ** 32 + this.#view.getUint32(at + 4)
  }
}
