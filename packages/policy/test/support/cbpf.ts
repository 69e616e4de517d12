import {
  arithmetic,
  cells,
  dataBytes,
  type Instruction,
  indexLoads,
  jump,
  loads,
  negate,
  returnAccumulator,
  returnValue,
  store,
  storeIndex,
  tests,
  toAccumulator,
  toIndex,
} from './cbpf-code.js'
import { verifyFilter } from './cbpf-verify.js'

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

/**
 * What a filter says of a call that is never made: the kernel's classic BPF machine, as far as seccomp(2) lets filters
 * use it (kernel/seccomp.c, seccomp_check_filter; net/core/filter.c, bpf_convert_filter).
 * @throws Error if the kernel would refuse the filter
 */
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
