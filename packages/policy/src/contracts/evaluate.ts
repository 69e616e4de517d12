import { matchesPath } from '../values/path.js'
import { matchesNetwork } from '../values/target-match.js'
import type { Arithmetic, Comparison, Expression } from './ast.js'

/** Numbers as integers from 0 to 2^64 - 1, paths absolute and normal, addresses as text. */
export type Values = Readonly<Record<string, bigint | boolean | string>>

const mask = 2n ** 64n - 1n

/** Whether a condition holds: what the compiled form is held to. Every operand it names must be among `values`. */
export function holds(expression: Expression, values: Values): boolean {
  return evaluate(expression, values) as boolean
}

function evaluate(expression: Expression, values: Values): bigint | boolean | string {
  switch (expression.op) {
    case 'operand':
      return values[expression.name]!
    case 'number':
      return BigInt(expression.value)
    case 'bool':
      return expression.value
    case 'not':
      return !holds(expression.of, values)
    case 'and':
      return holds(expression.left, values) && holds(expression.right, values)
    case 'or':
      return holds(expression.left, values) || holds(expression.right, values)
    case 'in-path':
      return matchesPath(expression, evaluate(expression.left, values) as string)
    case 'in-network':
      return matchesNetwork(expression.cidr, evaluate(expression.left, values) as string)
    default: {
      const left = evaluate(expression.left, values) as bigint
      const right = evaluate(expression.right, values) as bigint
      return expression.kind === 'bool'
        ? compare(expression.op as Comparison, left, right)
        : compute(expression.op as Arithmetic, left, right)
    }
  }
}

function compare(op: Comparison, left: bigint, right: bigint): boolean {
  switch (op) {
    case '==':
      return left === right
    case '!=':
      return left !== right
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
  }
}

function compute(op: Arithmetic, left: bigint, right: bigint): bigint {
  switch (op) {
    case '+':
      return (left + right) & mask
    case '-':
      return (left - right) & mask
    case '*':
      return (left * right) & mask
    case '/':
      return right === 0n ? 0n : left / right
    case '%':
      return right === 0n ? left : left % right
  }
}
