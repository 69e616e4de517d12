/** Instructions of the eBPF machine (RFC 9669), with jumps to labels and maps by name. Little endian. */
export type MapName = 'tasks' | 'events'

export interface Relocation {
  /** Index of the first of the two instructions that load the map. */
  readonly at: number
  readonly map: MapName
}

export interface Program {
  readonly instructions: Uint8Array
  readonly relocations: readonly Relocation[]
}

export const size = { word: 0x00, double: 0x18 } as const
export const alu = { add: 0x0, sub: 0x1, mul: 0x2, div: 0x3, and: 0x5, rsh: 0x7, mod: 0x9, xor: 0xa, mov: 0xb } as const
export const jump = { eq: 0x1, gt: 0x2, ge: 0x3, ne: 0x5, lt: 0xa, le: 0xb } as const

/** RFC 9669, 5.4: a load of 64 bits whose source says that the value is a map's descriptor. */
const mapDescriptor = 1

interface Instruction {
  code: number
  destination: number
  source: number
  offset: number
  immediate: number
}

export class Assembler {
  readonly #instructions: Instruction[] = []
  readonly #relocations: Relocation[] = []
  readonly #labels = new Map<number, number>()
  readonly #jumps: { readonly at: number; readonly label: number }[] = []
  #nextLabel = 0

  get length(): number {
    return this.#instructions.length
  }

  label(): number {
    return this.#nextLabel++
  }

  place(label: number): void {
    this.#labels.set(label, this.#instructions.length)
  }

  move(destination: number, immediate: number): void {
    this.#put(0x07 | (alu.mov << 4), destination, 0, 0, immediate)
  }

  copy(destination: number, source: number): void {
    this.register('mov', destination, source)
  }

  register(op: keyof typeof alu, destination: number, source: number): void {
    this.#put(0x0f | (alu[op] << 4), destination, source, 0, 0)
  }

  immediate(op: keyof typeof alu, destination: number, value: number): void {
    this.#put(0x07 | (alu[op] << 4), destination, 0, 0, value)
  }

  /** To big endian, of 64 bits. */
  toBigEndian(destination: number): void {
    this.#put(0xdc, destination, 0, 0, 64)
  }

  load(width: keyof typeof size, destination: number, base: number, offset: number): void {
    this.#put(0x61 | size[width], destination, base, offset, 0)
  }

  store(width: keyof typeof size, base: number, offset: number, source: number): void {
    this.#put(0x63 | size[width], base, source, offset, 0)
  }

  storeImmediate(width: keyof typeof size, base: number, offset: number, value: number): void {
    this.#put(0x62 | size[width], base, 0, offset, value)
  }

  constant(destination: number, value: bigint): void {
    if (value <= 0x7fff_ffffn) {
      this.move(destination, Number(value))
      return
    }
    this.#put(0x18, destination, 0, 0, Number(value & 0xffff_ffffn) | 0)
    this.#put(0, 0, 0, 0, Number(value >> 32n) | 0)
  }

  map(destination: number, map: MapName): void {
    this.#relocations.push({ at: this.#instructions.length, map })
    this.#put(0x18, destination, mapDescriptor, 0, 0)
    this.#put(0, 0, 0, 0, 0)
  }

  jumpRegister(op: keyof typeof jump, left: number, right: number, label: number): void {
    this.#jump(0x0d | (jump[op] << 4), left, right, 0, label)
  }

  jumpImmediate(op: keyof typeof jump, left: number, value: number, label: number): void {
    this.#jump(0x05 | (jump[op] << 4), left, 0, value, label)
  }

  call(helper: number): void {
    this.#put(0x85, 0, 0, 0, helper)
  }

  exit(): void {
    this.#put(0x95, 0, 0, 0, 0)
  }

  /** `undefined` when a jump is too far for its 16 bits. */
  finish(): Program | undefined {
    for (const { at, label } of this.#jumps) {
      const offset = this.#labels.get(label)! - at - 1
      if (offset > 0x7fff) return undefined
      this.#instructions[at]!.offset = offset
    }
    const bytes = Buffer.alloc(this.#instructions.length * 8)
    for (const [index, { code, destination, source, offset, immediate }] of this.#instructions.entries()) {
      bytes.writeUInt8(code, index * 8)
      bytes.writeUInt8(destination | (source << 4), index * 8 + 1)
      bytes.writeInt16LE(offset, index * 8 + 2)
      bytes.writeInt32LE(immediate, index * 8 + 4)
    }
    return { instructions: new Uint8Array(bytes), relocations: this.#relocations }
  }

  #put(code: number, destination: number, source: number, offset: number, immediate: number): void {
    this.#instructions.push({ code, destination, source, offset, immediate })
  }

  #jump(code: number, left: number, right: number, immediate: number, label: number): void {
    this.#jumps.push({ at: this.#instructions.length, label })
    this.#put(code, left, right, 0, immediate)
  }
}
