/** Instructions of classic BPF, as far as seccomp(2) lets filters use them (linux/bpf_common.h). */
export interface Instruction {
  readonly code: number
  readonly jt: number
  readonly jf: number
  readonly k: number
}

/** Of struct seccomp_data. */
export const dataBytes = 64
/** Of its memory, one word each. */
export const cells = 16

/** Of 8 bytes each: u16 code, u8 jt, u8 jf, u32 k, little endian. */
export function decodeFilter(bytes: Uint8Array): readonly Instruction[] {
  if (bytes.length % 8 !== 0) throw new Error(`${bytes.length} bytes are no whole instructions`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / 8 }, (_, index) => {
    const at = index * 8
    return { code: view.getUint16(at, true), jt: bytes[at + 2]!, jf: bytes[at + 3]!, k: view.getUint32(at + 4, true) }
  })
}

export const loads = { absolute: 0x20, length: 0x80, immediate: 0x00, memory: 0x60 }
export const indexLoads = { length: 0x81, immediate: 0x01, memory: 0x61 }
export const arithmetic: Readonly<Record<number, (a: number, b: number) => number>> = {
  0: (a, b) => a + b,
  16: (a, b) => a - b,
  32: (a, b) => Math.imul(a, b),
  48: (a, b) => Math.floor(a / b),
  64: (a, b) => a | b,
  80: (a, b) => a & b,
  96: (a, b) => a << (b & 31),
  112: (a, b) => a >>> (b & 31),
  160: (a, b) => a ^ b,
}
export const tests: Readonly<Record<number, (a: number, b: number) => boolean>> = {
  16: (a, b) => a === b,
  32: (a, b) => a > b,
  48: (a, b) => a >= b,
  64: (a, b) => (a & b) !== 0,
}
export const [store, storeIndex, negate, jump, toIndex, toAccumulator, returnValue, returnAccumulator] = [
  ...[0x02, 0x03, 0x84, 0x05, 0x07, 0x87, 0x06, 0x16],
]
