import { readFileSync } from 'node:fs'

/** The few numbers of <elf.h> that are needed here. */
export const ET = { EXEC: 2, DYN: 3 } as const
export const EM_X86_64 = 62
export const PT = { LOAD: 1, DYNAMIC: 2, NOTE: 4, GNU_STACK: 0x6474e551, GNU_RELRO: 0x6474e552 } as const
export const PF = { X: 1, W: 2, R: 4 } as const
export const DT = {
  PLTRELSZ: 2,
  RELA: 7,
  RELASZ: 8,
  RPATH: 15,
  TEXTREL: 22,
  JMPREL: 23,
  BIND_NOW: 24,
  RUNPATH: 29,
  FLAGS: 30,
  FLAGS_1: 0x6ffffffb,
} as const
export const DF = { TEXTREL: 4, BIND_NOW: 8 } as const
export const DF_1 = { NOW: 1, PIE: 0x08000000 } as const
const SHT = { SYMTAB: 2, DYNSYM: 11 } as const

export interface Segment {
  readonly type: number
  readonly flags: number
  readonly offset: number
  readonly address: number
  readonly fileSize: number
}

export interface ElfSymbol {
  readonly name: string
  readonly address: number
  readonly size: number
  readonly isFunction: boolean
  readonly isLocal: boolean
  readonly isDefined: boolean
}

interface Section {
  readonly type: number
  readonly offset: number
  readonly size: number
  readonly link: number
}

/** A 64-bit little-endian ELF file: no more of it than a test of its protections asks for. */
export class Elf {
  readonly bytes: Buffer
  readonly type: number
  readonly machine: number
  readonly segments: readonly Segment[]
  /** Of the dynamic section, as the loader finds it; tags that may come repeatedly are not needed here. */
  readonly dynamic: ReadonlyMap<number, number>
  /** Imports and exports: what is left when a binary is stripped. */
  readonly dynamicSymbols: readonly ElfSymbol[]
  /** The static symbol table; empty when the binary is stripped. */
  readonly symbols: readonly ElfSymbol[]

  constructor(path: string) {
    const bytes = readFileSync(path)
    if (bytes.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') throw new Error(`${path} is not a 64-bit ELF file`)
    this.bytes = bytes
    this.type = bytes.readUInt16LE(16)
    this.machine = bytes.readUInt16LE(18)
    this.segments = table(this.#word(32), bytes.readUInt16LE(54), bytes.readUInt16LE(56)).map((at) => ({
      type: bytes.readUInt32LE(at),
      flags: bytes.readUInt32LE(at + 4),
      offset: this.#word(at + 8),
      address: this.#word(at + 16),
      fileSize: this.#word(at + 32),
    }))
    const sections = table(this.#word(40), bytes.readUInt16LE(58), bytes.readUInt16LE(60)).map((at) => ({
      type: bytes.readUInt32LE(at + 4),
      offset: this.#word(at + 24),
      size: this.#word(at + 32),
      link: bytes.readUInt32LE(at + 40),
    }))
    this.dynamic = new Map(
      this.#rows(this.segment(PT.DYNAMIC), 16).map((at) => [this.#word(at), this.#word(at + 8)] as const),
    )
    this.dynamicSymbols = this.#symbols(sections, SHT.DYNSYM)
    this.symbols = this.#symbols(sections, SHT.SYMTAB)
  }

  segment(type: number): Segment | undefined {
    return this.segments.find((segment) => segment.type === type)
  }

  get imports(): Set<string> {
    return new Set(this.dynamicSymbols.filter((symbol) => !symbol.isDefined).map((symbol) => symbol.name))
  }

  /** Where in the file the byte is that gets loaded at `address`. */
  fileOffset(address: number): number | undefined {
    const within = (s: Segment) => s.type === PT.LOAD && address >= s.address && address < s.address + s.fileSize
    const segment = this.segments.find(within)
    return segment && address - segment.address + segment.offset
  }

  /** Pairs of address and import, one for each slot that the loader fills with an imported function. */
  importSlots(): Map<number, string> {
    const slots = new Map<number, string>()
    for (const [start, size] of [
      [DT.JMPREL, DT.PLTRELSZ],
      [DT.RELA, DT.RELASZ],
    ] as const) {
      const offset = this.fileOffset(this.dynamic.get(start) ?? 0)
      if (offset === undefined) continue
      for (const at of this.#rows({ offset, fileSize: this.dynamic.get(size) ?? 0 }, 24)) {
        const symbol = this.dynamicSymbols[this.bytes.readUInt32LE(at + 12)]
        if (symbol && !symbol.isDefined && symbol.name) slots.set(this.#word(at), symbol.name)
      }
    }
    return slots
  }

  /** The text of a note, by its owner and type. */
  note(owner: string, type: number): string | undefined {
    const aligned = (n: number) => (n + 3) & ~3
    for (const { offset, fileSize } of this.segments.filter((segment) => segment.type === PT.NOTE)) {
      for (let at = offset; at + 12 <= offset + fileSize; ) {
        const [nameSize, textSize] = [this.bytes.readUInt32LE(at), this.bytes.readUInt32LE(at + 4)]
        const text = at + 12 + aligned(nameSize)
        if (this.#string(at + 12) === owner && this.bytes.readUInt32LE(at + 8) === type) return this.#string(text)
        at = text + aligned(textSize)
      }
    }
    return undefined
  }

  #symbols(sections: readonly Section[], type: number): ElfSymbol[] {
    const section = sections.find((one) => one.type === type)
    const names = sections[section?.link ?? 0]!
    return this.#rows(section && { offset: section.offset, fileSize: section.size }, 24).map((at) => ({
      name: this.#string(names.offset + this.bytes.readUInt32LE(at)),
      isFunction: (this.bytes[at + 4]! & 15) === 2,
      isLocal: this.bytes[at + 4]! >> 4 === 0,
      isDefined: this.bytes.readUInt16LE(at + 6) !== 0,
      address: this.#word(at + 8),
      size: this.#word(at + 16),
    }))
  }

  #rows(range: { offset: number; fileSize: number } | undefined, size: number): number[] {
    return range ? table(range.offset, size, Math.floor(range.fileSize / size)) : []
  }

  #word(at: number): number {
    return Number(this.bytes.readBigUInt64LE(at))
  }

  #string(at: number): string {
    return this.bytes.toString('latin1', at, this.bytes.indexOf(0, at))
  }
}

function table(offset: number, size: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => offset + i * size)
}
