import { PolicyTargetError } from '../errors/policy-target-error.js'

const longest = 0xffff

/** The strings of a table, each once, in the order they were first named. */
export class TableStrings {
  readonly #at = new Map<string, number>()
  readonly #pieces: Buffer[] = []
  #bytes = 0

  /** @param start where the strings begin in the table */
  constructor(private readonly start: number) {}

  /** @returns its offset in the table, and its bytes @throws PolicyTargetError */
  put(text: string): { readonly offset: number; readonly bytes: number } {
    const piece = Buffer.from(text)
    if (piece.length > longest)
      throw new PolicyTargetError(`a string of ${piece.length} bytes in the broker table`, `at most ${longest}`)
    let at = this.#at.get(text)
    if (at === undefined) {
      at = this.#bytes
      this.#at.set(text, at)
      this.#pieces.push(piece)
      this.#bytes += piece.length
    }
    return { offset: this.start + at, bytes: piece.length }
  }

  bytes(): Buffer {
    return Buffer.concat(this.#pieces)
  }
}
