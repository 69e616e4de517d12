import { type Elf, type ElfSymbol, PF, PT } from './elf.js'

// What a protection leaves in x86-64 machine code. The scans look at every byte, not at instructions: they search for
// sequences of five bytes or more that name an exact target, so a chance hit is as good as excluded.

const ENDBR64 = Buffer.from('f30f1efa', 'hex')
/** ud1 2(%eax),%eax: clang's trap after a failed check of control-flow integrity. */
const CFI_TRAP = Buffer.from('670fb94002', 'hex')

export class MachineCode {
  readonly #elf: Elf
  readonly #functions: readonly ElfSymbol[]

  constructor(elf: Elf) {
    this.#elf = elf
    const symbols = elf.symbols.length > 0 ? elf.symbols : elf.dynamicSymbols
    this.#functions = symbols
      .filter((symbol) => symbol.isFunction && symbol.isDefined)
      .sort((a, b) => a.address - b.address)
  }

  /** Functions that others can reach by name or address, and that don't begin with a landing pad. */
  withoutLandingPad(named: RegExp): string[] {
    const bare = this.#functions.filter(({ name, address, isLocal }) => {
      const at = isLocal || !named.test(name) ? undefined : this.#elf.fileOffset(address)
      return at !== undefined && !this.#elf.bytes.subarray(at, at + 4).equals(ENDBR64)
    })
    return bare.map((symbol) => symbol.name)
  }

  /** How many functions whose name matches `named` call an import whose name matches `callee`. */
  callersOf(callee: RegExp, named: RegExp): number {
    const slots = new Map([...this.#elf.importSlots()].filter(([, name]) => callee.test(name)))
    const sites: number[] = []
    // Through a stub of the procedure linkage table (jmp *slot), or straight through the slot (call *slot).
    const stubs = new Set<number>()
    this.#scan(0xff, (address, next) => {
      if ((next !== 0x25 && next !== 0x15) || !slots.has(this.#target(address + 1))) return
      if (next === 0x15) sites.push(address)
      // A stub may begin with a landing pad, or a bnd prefix, or both.
      else for (const before of [0, 1, 4, 5]) stubs.add(address - before)
    })
    for (const opcode of [0xe8, 0xe9]) {
      this.#scan(opcode, (address) => {
        if (stubs.has(this.#target(address))) sites.push(address)
      })
    }
    return this.#countFunctions(sites, named)
  }

  /** How many functions whose name matches `named` check an indirect call before they make it. */
  checkingCalls(named: RegExp): number {
    const sites: number[] = []
    this.#scan(CFI_TRAP, (address) => {
      sites.push(address)
    })
    return this.#countFunctions(sites, named)
  }

  #countFunctions(sites: readonly number[], named: RegExp): number {
    const names = sites.map((address) => this.#functionAt(address)).filter((name) => name !== undefined)
    return new Set(names.filter((name) => named.test(name))).size
  }

  #functionAt(address: number): string | undefined {
    let [low, high] = [0, this.#functions.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#functions[middle]!.address <= address) low = middle + 1
      else high = middle
    }
    const candidate = this.#functions[low - 1]
    return candidate && address < candidate.address + candidate.size ? candidate.name : undefined
  }

  /** Where a 32-bit displacement right after the byte at `address` leads. */
  #target(address: number): number {
    const at = this.#elf.fileOffset(address)! + 1
    return at + 4 > this.#elf.bytes.length ? -1 : address + 5 + this.#elf.bytes.readInt32LE(at)
  }

  #scan(needle: number | Buffer, found: (address: number, next: number) => void): void {
    const { bytes, segments } = this.#elf
    for (const { type, flags, offset, address, fileSize } of segments) {
      if (type !== PT.LOAD || !(flags & PF.X)) continue
      for (let at = bytes.indexOf(needle, offset); at >= 0 && at < offset + fileSize; at = bytes.indexOf(needle, at + 1)) {
        found(at - offset + address, bytes[at + 1]!)
      }
    }
  }
}
