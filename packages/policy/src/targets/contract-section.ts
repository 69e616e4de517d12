import type { CompiledPolicy } from '../compile/compiled-policy.js'
import { contractPaths } from '../compile/contract-paths.js'
import { compileContracts } from '../contracts/bpf/compile-contracts.js'
import { hookNames } from '../contracts/operands.js'
import { contractsAt } from './broker-layout.js'

/**
 * A table with its policy's contracts behind it, from the next multiple of 8 on, where the header points: u32 paths, u32
 * programs; for each path u32 offset, u16 bytes, u8 subtree, u8 0; for each program u32 hook (an index of `hookNames`),
 * u32 offset, u32 instructions, u32 0; then the programs and the paths' texts. A path's index is its bit.
 */
export function withContracts(table: Uint8Array, policy: CompiledPolicy): Uint8Array {
  if (policy.contracts.length === 0) return table
  const programs = compileContracts(policy)
  const paths = contractPaths(policy.contracts).map(({ path, subtree }) => ({
    text: Buffer.from(path === '/' ? '' : path),
    subtree,
  }))
  const start = align(table.length)
  const head = Buffer.alloc(align(8 + 8 * paths.length + 16 * programs.length))
  let end = start + head.length
  head.writeUInt32LE(paths.length, 0)
  head.writeUInt32LE(programs.length, 4)
  for (const [index, { hook, instructions }] of programs.entries()) {
    const at = 8 + 8 * paths.length + 16 * index
    head.writeUInt32LE(hookNames.indexOf(hook), at)
    head.writeUInt32LE(end, at + 4)
    head.writeUInt32LE(instructions.length / 8, at + 8)
    end += instructions.length
  }
  for (const [index, { text, subtree }] of paths.entries()) {
    head.writeUInt32LE(end, 8 + 8 * index)
    head.writeUInt16LE(text.length, 12 + 8 * index)
    head.writeUInt8(subtree ? 1 : 0, 14 + 8 * index)
    end += text.length
  }
  const parts = [table, Buffer.alloc(start - table.length), head]
  const whole = Buffer.concat([...parts, ...programs.map((one) => one.instructions), ...paths.map((one) => one.text)])
  whole.writeUInt32LE(whole.length, 8)
  whole.writeUInt32LE(start, contractsAt)
  return new Uint8Array(whole)
}

function align(offset: number): number {
  return Math.ceil(offset / 8) * 8
}
