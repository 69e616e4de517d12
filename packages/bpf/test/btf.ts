import { readFileSync } from 'node:fs'

export interface Member {
  readonly name: string
  readonly offset: number
  readonly bytes: number
}

interface Type {
  readonly name: string
  readonly kind: number
  readonly link: number
  readonly count: number
  readonly members: readonly { readonly name: string; readonly type: number; readonly bits: number }[]
}

/** Kinds of types in the kernel's type format (Documentation/bpf/btf.rst), with the bytes that follow each. */
const kind = { int: 1, pointer: 2, array: 3, struct: 4, union: 5, enumeration: 6, typedef: 8 } as const
const perMember: Readonly<Record<number, number>> = { 4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12 }
const fixed: Readonly<Record<number, number>> = { 1: 4, 3: 12, 14: 4, 17: 4 }

/** The structs in a compiled object's type information, which the kernel's verifier gets: size, and each field. */
export function structsOf(file: string): ReadonlyMap<string, { readonly bytes: number; readonly members: Member[] }> {
  const types = typesIn(sectionOf(readFileSync(file), '.BTF'))
  const bytesOf = (id: number): number => {
    const type = types[id]!
    if (type.kind === kind.pointer) return 8
    if (type.kind === kind.array) return type.count * bytesOf(type.link)
    const sized: readonly number[] = [kind.int, kind.struct, kind.union, kind.enumeration]
    return sized.includes(type.kind) ? type.count : bytesOf(type.link)
  }
  const structs = types.filter((type) => type?.kind === kind.struct && type.name !== '')
  return new Map(
    structs.map((type) => {
      const members = type.members.map(({ name, type: id, bits }) => ({ name, offset: bits / 8, bytes: bytesOf(id) }))
      return [type.name, { bytes: type.count, members }]
    }),
  )
}

function typesIn(btf: Buffer): Type[] {
  const header = btf.readUInt32LE(4)
  const [typesAt, typesBytes, stringsAt] = [8, 12, 16].map((at) => btf.readUInt32LE(at)) as [number, number, number]
  const name = (at: number): string => {
    const start = header + stringsAt + at
    return btf.toString('utf8', start, btf.indexOf(0, start))
  }
  const types: Type[] = [{ name: 'void', kind: kind.int, link: 0, count: 0, members: [] }]
  for (let at = header + typesAt; at < header + typesAt + typesBytes; ) {
    const info = btf.readUInt32LE(at + 4)
    const own = (info >> 24) & 0x1f
    const members = info & 0xffff
    const sizeOrLink = btf.readUInt32LE(at + 8)
    const body = at + 12
    const one = { name: name(btf.readUInt32LE(at)), kind: own }
    if (own === kind.array)
      types.push({ ...one, link: btf.readUInt32LE(body), count: btf.readUInt32LE(body + 8), members: [] })
    else if (own === kind.struct || own === kind.union) {
      const fields = Array.from({ length: members }, (_, i) => ({
        name: name(btf.readUInt32LE(body + i * 12)),
        type: btf.readUInt32LE(body + i * 12 + 4),
        bits: btf.readUInt32LE(body + i * 12 + 8),
      }))
      types.push({ ...one, link: 0, count: sizeOrLink, members: fields })
    } else types.push({ ...one, link: sizeOrLink, count: sizeOrLink, members: [] })
    at = body + (fixed[own] ?? (perMember[own] ?? 0) * members)
  }
  return types
}

/** A section of an ELF file of 64 bits (elf(5)). */
function sectionOf(elf: Buffer, wanted: string): Buffer {
  const table = Number(elf.readBigUInt64LE(40))
  const [size, count, strings] = [58, 60, 62].map((at) => elf.readUInt16LE(at)) as [number, number, number]
  const placeOf = (index: number) => {
    const at = table + index * size
    const start = Number(elf.readBigUInt64LE(at + 24))
    return { name: elf.readUInt32LE(at), bytes: elf.subarray(start, start + Number(elf.readBigUInt64LE(at + 32))) }
  }
  const names = placeOf(strings).bytes
  for (let index = 0; index < count; index++) {
    const { name, bytes } = placeOf(index)
    if (names.toString('utf8', name, names.indexOf(0, name)) === wanted) return bytes
  }
  throw new Error(`there is no section ${wanted}`)
}
