import { PolicyTargetError } from '../errors/policy-target-error.js'

const longest = 0xffff

/** The strings of a table, each once, in the order they were first named. */
export class TableStrings {
  readonly #at = new Map<string, number>()
  readonly #pieces: Buffer[] = []
  #bytes = 0

  /** @param start where the strings begin in the table */
  constructor(private readonly start: number) {}

  /** Names a string in a record: u32 its offset, u16 its bytes. @throws PolicyTargetError */
  write(fixed: Buffer, at: number, text: string): void {
    const piece = Buffer.from(text)
    if (piece.length > longest)
      throw new PolicyTargetError(`a string of ${piece.length} bytes in the broker table`, `at most ${longest}`)
    let offset = this.#at.get(text)
    if (offset === undefined) {
      offset = this.#bytes
      this.#at.set(text, offset)
      this.#pieces.push(piece)
      this.#bytes += piece.length
    }
    fixed.writeUInt32LE(this.start + offset, at)
    fixed.writeUInt16LE(piece.length, at + 4)
  }

  bytes(): Buffer {
    return Buffer.concat(this.#pieces)
  }
}
