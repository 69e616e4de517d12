import ipaddr from 'ipaddr.js'
import type { PathPattern } from '../../values/path.js'
import type { Arithmetic, Comparison, Expression } from '../ast.js'
import type { Assembler, alu, jump } from './assembler.js'
import { addressAt, eventBytes, familyAt, numberAt, pathBitsAt } from './layout.js'

/** Registers: what an expression comes to is in `value`; `task` and `frame` stay. */
export const value = 1
const other = 2
export const task = 6
export const frame = 10

/** Halves of operators wait here, below the event; each level of nesting has one. The stack has 512 bytes. */
const slotAt = (level: number): number => -eventBytes - 8 * (level + 1)
export const mostLevels = (512 - eventBytes) / 8

const arithmetic: Readonly<Record<Arithmetic, keyof typeof alu>> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'mod',
}
const comparison: Readonly<Record<Comparison, keyof typeof jump>> = {
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
}

/** Too deeply nested for the stack. */
export class TooDeep extends Error {}

/** Emits what computes an expression into `value`: a number, or 1 or 0. @throws TooDeep */
export function compileExpression(code: Assembler, expression: Expression, paths: readonly PathPattern[]): void {
  const compile = (one: Expression, level: number): void => {
    if (level >= mostLevels) throw new TooDeep()
    switch (one.op) {
      case 'operand':
        code.load('double', value, task, numberAt[one.name]!)
        break
      case 'number':
        code.constant(value, BigInt(one.value))
        break
      case 'bool':
        code.move(value, one.value ? 1 : 0)
        break
      case 'not':
        compile(one.of, level)
        code.immediate('xor', value, 1)
        break
      case 'and':
      case 'or': {
        const end = code.label()
        compile(one.left, level)
        code.jumpImmediate('eq', value, one.op === 'and' ? 0 : 1, end)
        compile(one.right, level)
        code.place(end)
        break
      }
      case 'in-path': {
        const bit = paths.findIndex(({ path, subtree }) => path === one.path && subtree === one.subtree)
        code.load('double', value, task, pathBitsAt)
        if (bit > 0) code.immediate('rsh', value, bit)
        code.immediate('and', value, 1)
        break
      }
      case 'in-network':
        inNetwork(code, one.cidr)
        break
      default:
        operands(one.left, one.right, level)
        if (one.kind === 'bool') compare(code, comparison[one.op as Comparison])
        else code.register(arithmetic[one.op as Arithmetic], value, other)
    }
  }
  /** The left one in `value`, the right one in `other`. */
  const operands = (left: Expression, right: Expression, level: number): void => {
    compile(left, level)
    code.store('double', frame, slotAt(level), value)
    compile(right, level + 1)
    code.copy(other, value)
    code.load('double', value, frame, slotAt(level))
  }
  compile(expression, 0)
}

function compare(code: Assembler, op: keyof typeof jump): void {
  const holds = code.label()
  const end = code.label()
  code.jumpRegister(op, value, other, holds)
  code.move(value, 0)
  code.jumpImmediate('eq', value, 0, end)
  code.place(holds)
  code.move(value, 1)
  code.place(end)
}

/** Word by word, as far as the prefix goes. */
function inNetwork(code: Assembler, cidr: string): void {
  const [network, bits] = ipaddr.parseCIDR(cidr)
  const four = network.kind() === 'ipv4'
  const bytes = four ? [...Array(10).fill(0), 255, 255, ...network.toByteArray()] : network.toByteArray()
  const prefix = four ? 96 + bits : bits
  const outside = code.label()
  const end = code.label()
  code.load('word', value, task, familyAt)
  code.jumpImmediate('ne', value, four ? 4 : 6, outside)
  for (const word of [0, 1]) {
    const covered = Math.min(64, Math.max(0, prefix - 64 * word))
    // What is mapped into IPv6 is so in its first word.
    if (covered === 0 || (four && word === 0)) continue
    const mask = (2n ** 64n - 1n) ^ (2n ** BigInt(64 - covered) - 1n)
    const wanted = Buffer.from(bytes.slice(8 * word, 8 * word + 8)).readBigUInt64BE() & mask
    code.load('double', value, task, addressAt + 8 * word)
    code.toBigEndian(value)
    code.constant(other, mask)
    code.register('and', value, other)
    code.constant(other, wanted)
    code.jumpRegister('ne', value, other, outside)
  }
  code.move(value, 1)
  code.jumpImmediate('eq', value, 1, end)
  code.place(outside)
  code.move(value, 0)
  code.place(end)
}
