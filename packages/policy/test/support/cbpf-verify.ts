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

const mostInstructions = 4096

/**
 * What the kernel refuses to install (kernel/seccomp.c, seccomp_check_filter; net/core/filter.c, bpf_check_classic).
 * @throws Error that says which instruction, and why
 */
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
