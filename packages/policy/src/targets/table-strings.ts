import { PolicyTargetError } from '../errors/policy-target-error.js'

const longest = 0xffff

/** The strings of a table, each once, in the order they were first named. */
export class TableStrings {
  readonly #at = new Map<string, { readonly offset: number; readonly length: number }>()
  readonly #texts: string[] = []
  #bytes = 0

  /** @param start where the strings begin in the table */
  constructor(private readonly start: number) {}

  /** Names a string in a record: u32 its offset, u16 its bytes. @throws PolicyTargetError */
  write(fixed: Buffer, at: number, text: string): void {
    const { offset, length } = this.#at.get(text) ?? this.#add(text)
    fixed.writeUInt32LE(this.start + offset, at)
    fixed.writeUInt16LE(length, at + 4)
  }

  #add(text: string): { readonly offset: number; readonly length: number } {
    const length = Buffer.byteLength(text)
    if (length > longest)
      throw new PolicyTargetError(`a string of ${length} bytes in the broker table`, `at most ${longest}`)
    const added = { offset: this.#bytes, length }
    this.#at.set(text, added)
    this.#texts.push(text)
    this.#bytes += length
    return added
  }

  /** All of them, one behind the other. */
  bytes(): Buffer {
    const all = Buffer.allocUnsafe(this.#bytes)
    let at = 0
    for (const text of this.#texts) at += all.write(text, at)
    return all
  }
}
