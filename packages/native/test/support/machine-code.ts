import { type Elf, type ElfSymbol, PF, PT } from './elf.js'

// What a protection leaves in x86-64 machine code. The scans look at every byte, not at instructions: what they search
// for takes five bytes or more, or names an exact address, so that a chance hit in a function of ours is excluded as good
// as surely as by disassembling.

const ENDBR64 = Buffer.from('f30f1efa', 'hex')
/** ud1 2(%eax),%eax: where clang's check of control-flow integrity ends when it fails. */
const CFI_TRAP = Buffer.from('670fb94002', 'hex')
const CALL = 0xe8
const JUMP = 0xe9
const CALL_SLOT = Buffer.from('ff15', 'hex')
const JUMP_SLOT = Buffer.from('ff25', 'hex')

export class MachineCode {
  readonly #elf: Elf
  readonly #functions: readonly ElfSymbol[]
  #importCalls: { caller: string; callee: string }[] | undefined

  constructor(elf: Elf) {
    this.#elf = elf
    const symbols = elf.symbols.length > 0 ? elf.symbols : elf.dynamicSymbols
    this.#functions = symbols
      .filter((symbol) => symbol.isFunction && symbol.isDefined)
      .sort((a, b) => a.address - b.address)
  }

  /** Functions whose name matches `named`, by whether they begin with a landing pad for indirect calls. */
  landingPads(named: RegExp): { present: number; missing: string[] } {
    const starts = this.#functions
      .filter(({ name }) => named.test(name))
      .map(({ name, isLocal, address }) => {
        const at = this.#elf.fileOffset(address)!
        return { name, isLocal, padded: this.#elf.bytes.subarray(at, at + 4).equals(ENDBR64) }
      })
    return {
      present: starts.filter((start) => start.padded).length,
      // A local function needs one only when its address is taken, which its compiler knew and we don't.
      missing: starts.filter((start) => !start.padded && !start.isLocal).map((start) => start.name),
    }
  }

  /** How many functions whose name matches `named` call an import whose name matches `callee`. */
  callersOf(callee: RegExp, named: RegExp): number {
    this.#importCalls ??= this.#findImportCalls()
    const callers = this.#importCalls.filter((call) => callee.test(call.callee) && named.test(call.caller))
    return new Set(callers.map((call) => call.caller)).size
  }

  /** How many functions whose name matches `named` check an indirect call before they make it. */
  checkingCalls(named: RegExp): number {
    const names = [...this.#scan(CFI_TRAP)].map((address) => this.#functionAt(address) ?? '')
    return new Set(names.filter((name) => named.test(name))).size
  }

  #findImportCalls(): { caller: string; callee: string }[] {
    const slots = this.#elf.importSlots()
    const calls: { caller: string; callee: string }[] = []
    const record = (address: number, callee: string | undefined) => {
      const caller = callee && this.#functionAt(address)
      if (caller) calls.push({ caller, callee })
    }
    // Through a stub of the procedure linkage table, or straight through the slot that the loader fills.
    const stubs = new Map<number, string>()
    for (const address of this.#scan(JUMP_SLOT)) {
      const callee = slots.get(this.#target(address + 1))
      // A stub may begin with a landing pad, or a bnd prefix, or both.
      if (callee) for (const before of [0, 1, 4, 5]) stubs.set(address - before, callee)
    }
    for (const address of this.#scan(CALL_SLOT)) record(address, slots.get(this.#target(address + 1)))
    for (const opcode of [CALL, JUMP]) {
      for (const address of this.#scan(opcode)) record(address, stubs.get(this.#target(address)))
    }
    return calls
  }

  /** Where the 32-bit displacement that follows the byte at `address` leads. */
  #target(address: number): number {
    const at = this.#elf.fileOffset(address + 1)
    return at === undefined || at + 4 > this.#elf.bytes.length ? -1 : address + 5 + this.#elf.bytes.readInt32LE(at)
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

  *#scan(needle: number | Buffer): Generator<number> {
    const { bytes, segments } = this.#elf
    for (const { type, flags, offset, address, fileSize } of segments) {
      if (type !== PT.LOAD || !(flags & PF.X)) continue
      const code = bytes.subarray(offset, offset + fileSize)
      for (let at = code.indexOf(needle); at >= 0; at = code.indexOf(needle, at + 1)) yield address + at
    }
  }
}
