/**
 * The kernel's classic BPF machine, as far as seccomp(2) lets filters use it (kernel/seccomp.c, seccomp_check_filter;
 * net/core/filter.c, bpf_check_classic and bpf_convert_filter): runs `sock_filter` programs on system calls that are
 * never made.
 */
export interface Instruction {
  readonly code: number
  readonly jt: number
  readonly jf: number
  readonly k: number
}

/** struct seccomp_data. */
export interface Call {
  readonly nr: number
  /** AUDIT_ARCH_*. */
  readonly arch: number
  readonly ip?: bigint
  /** As many as matter; the others are 0. */
  readonly args?: readonly bigint[]
}

export interface Verdict {
  readonly action: Action
  /** An errno, or a message for a tracer. */
  readonly data: number
  /** Instructions that ran. */
  readonly steps: number
}

/** SECCOMP_RET_*, the most restrictive first: where there are several filters, it wins. */
const actions = {
  killProcess: 0x8000_0000,
  killThread: 0,
  trap: 0x0003_0000,
  errno: 0x0005_0000,
  notify: 0x7fc0_0000,
  trace: 0x7ff0_0000,
  log: 0x7ffc_0000,
  allow: 0x7fff_0000,
} as const
export type Action = keyof typeof actions

export const archX86 = 0xc000_003e
export const archArm = 0xc000_00b7

const dataBytes = 64
const mostInstructions = 4096
const cells = 16

/** Of 8 bytes each: u16 code, u8 jt, u8 jf, u32 k, little endian. */
export function decodeFilter(bytes: Uint8Array): readonly Instruction[] {
  if (bytes.length % 8 !== 0) throw new Error(`${bytes.length} bytes are no whole instructions`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / 8 }, (_, index) => {
    const at = index * 8
    return { code: view.getUint16(at, true), jt: bytes[at + 2]!, jf: bytes[at + 3]!, k: view.getUint32(at + 4, true) }
  })
}

const loads = { absolute: 0x20, length: 0x80, immediate: 0x00, memory: 0x60 }
const indexLoads = { length: 0x81, immediate: 0x01, memory: 0x61 }
const arithmetic: Readonly<Record<number, (a: number, b: number) => number>> = {
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
const tests: Readonly<Record<number, (a: number, b: number) => boolean>> = {
  16: (a, b) => a === b,
  32: (a, b) => a > b,
  48: (a, b) => a >= b,
  64: (a, b) => (a & b) !== 0,
}
const [store, storeIndex, negate, jump, toIndex, toAccumulator, returnValue, returnAccumulator] = [
  ...[0x02, 0x03, 0x84, 0x05, 0x07, 0x87, 0x06, 0x16],
]

/** What the kernel refuses to install. @throws Error that says which instruction, and why */
export function verifyFilter(program: readonly Instruction[]): void {
  const refuse = (at: number, why: string) => {
    throw new Error(`instruction ${at}: ${why}`)
  }
  if (program.length === 0 || program.length > mostInstructions) refuse(0, `${program.length} instructions`)
  for (const [at, { code, jt, jf, k }] of program.entries()) {
    const [group, op, fromIndex] = [code & 7, code & 0xf0, (code & 8) !== 0]
    if (code === loads.absolute) {
      if (k % 4 !== 0 || k >= dataBytes) refuse(at, `no word of the call at ${k}`)
    } else if ([loads.memory, indexLoads.memory, store, storeIndex].includes(code)) {
      if (k >= cells) refuse(at, `no cell ${k}`)
    } else if (group === 4 && op in arithmetic) {
      if (!fromIndex && op === 48 && k === 0) refuse(at, 'a division by 0')
      if (!fromIndex && (op === 96 || op === 112) && k >= 32) refuse(at, `a shift by ${k}`)
    } else if (code === jump) {
      if (at + 1 + k >= program.length) refuse(at, 'a jump beyond the end')
    } else if (group === 5 && op in tests) {
      if (at + 1 + Math.max(jt, jf) >= program.length) refuse(at, 'a jump beyond the end')
    } else if (
      ![loads.length, loads.immediate, indexLoads.length, indexLoads.immediate, negate].includes(code) &&
      ![toIndex, toAccumulator, returnValue, returnAccumulator].includes(code)
    ) {
      refuse(at, `code 0x${code.toString(16)} is not for seccomp`)
    }
  }
  const last = program.at(-1)!
  if (last.code !== returnValue && last.code !== returnAccumulator) refuse(program.length - 1, 'the last is no return')
  verifyCells(program)
}

/** Cells that are read before they are written on every way there: the kernel's would hold what was in its memory. */
function verifyCells(program: readonly Instruction[]): void {
  const filled = program.map(() => 0xffff)
  let now = 0
  for (const [at, { code, jt, jf, k }] of program.entries()) {
    now &= filled[at]!
    if (code === store || code === storeIndex) now |= 1 << k
    if ((code === loads.memory || code === indexLoads.memory) && (now & (1 << k)) === 0)
      throw new Error(`instruction ${at}: cell ${k} may be empty`)
    if ((code & 7) !== 5) continue
    for (const to of code === jump ? [k] : [jt, jf]) filled[at + 1 + to]! &= now
    now = 0xffff
  }
}

/** What a filter says of a call. @throws Error if the kernel would refuse the filter */
export function runFilter(program: readonly Instruction[], call: Call): Verdict {
  verifyFilter(program)
  const data = dataOf(call)
  const memory = new Uint32Array(cells)
  let accumulator = 0
  let index = 0
  let steps = 0
  for (let at = 0; ; at++) {
    const { code, jt, jf, k } = program[at]!
    steps++
    const [group, op, operand] = [code & 7, code & 0xf0, (code & 8) !== 0 ? index : k]
    if (code === loads.absolute) accumulator = data.getUint32(k, true)
    else if (code === loads.length) accumulator = dataBytes
    else if (code === loads.immediate) accumulator = k
    else if (code === loads.memory) accumulator = memory[k]!
    else if (code === indexLoads.length) index = dataBytes
    else if (code === indexLoads.immediate) index = k
    else if (code === indexLoads.memory) index = memory[k]!
    else if (code === store) memory[k] = accumulator
    else if (code === storeIndex) memory[k] = index
    else if (code === negate) accumulator = -accumulator >>> 0
    else if (code === toIndex) index = accumulator
    else if (code === toAccumulator) accumulator = index
    else if (code === jump) at += k
    else if (code === returnValue) return verdict(k, steps)
    else if (code === returnAccumulator) return verdict(accumulator, steps)
    else if (group === 4) {
      // Since ever, dividing by nothing ends the program with 0.
      if (op === 48 && operand === 0) return verdict(0, steps)
      accumulator = arithmetic[op]!(accumulator, operand) >>> 0
    } else at += tests[op]!(accumulator, operand) ? jt : jf
  }
}

/** All of them, as the kernel runs them: the most restrictive verdict holds. */
export function runFilters(programs: readonly (readonly Instruction[])[], call: Call): Verdict {
  const order = Object.keys(actions)
  return programs
    .map((program) => runFilter(program, call))
    .reduce((strictest, next) => (order.indexOf(next.action) < order.indexOf(strictest.action) ? next : strictest))
}

function verdict(value: number, steps: number): Verdict {
  const action = (Object.keys(actions) as Action[]).find((name) => actions[name] === (value & 0xffff_0000) >>> 0)
  // What the kernel doesn't know kills the process (Linux 4.14).
  return { action: action ?? 'killProcess', data: value & 0xffff, steps }
}

function dataOf({ nr, arch, ip = 0n, args = [] }: Call): DataView {
  const data = new DataView(new ArrayBuffer(dataBytes))
  data.setInt32(0, nr, true)
  data.setUint32(4, arch, true)
  data.setBigUint64(8, ip, true)
  for (const [index, value] of args.entries()) data.setBigUint64(16 + index * 8, value, true)
  return data
}
