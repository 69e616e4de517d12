import { readPath } from '../values/path.js'
import { readCidr } from '../values/target.js'
import type { Arithmetic, Comparison, Expression } from './ast.js'
import { ExpressionFault, type Token } from './tokens.js'

type Number = 'count' | 'bytes' | 'time'

/** What fits together. A bare number may stand for bytes; for a time it may not, as nobody could tell of which unit. */
function common(left: Expression, right: Expression): Number | undefined {
  if (!isNumber(left.kind) || !isNumber(right.kind)) return undefined
  if (left.kind === right.kind) return left.kind
  if (left.kind === 'time' || right.kind === 'time') return undefined
  const bare = left.kind === 'count' ? left : right
  return bare.op === 'number' ? 'bytes' : undefined
}

function isNumber(kind: Expression['kind']): kind is Number {
  return kind === 'count' || kind === 'bytes' || kind === 'time'
}

export function logical(sign: Token, op: 'and' | 'or', left: Expression, right: Expression): Expression {
  if (left.kind === 'bool' && right.kind === 'bool') return { op, kind: 'bool', left, right }
  throw new ExpressionFault(sign.at, `${op} needs conditions, got ${left.kind} and ${right.kind}`)
}

export function comparison(sign: Token, op: Comparison, left: Expression, right: Expression): Expression {
  const equality = op === '==' || op === '!='
  if (common(left, right) !== undefined || (equality && left.kind === 'bool' && right.kind === 'bool'))
    return { op, kind: 'bool', left, right }
  throw new ExpressionFault(sign.at, `${left.kind} can't be compared with ${right.kind} by ${op}`)
}

export function arithmetic(sign: Token, op: Arithmetic, left: Expression, right: Expression): Expression {
  const kind = op === '*' || op === '/' ? scaled(op, left, right) : common(left, right)
  if (kind !== undefined) return { op, kind, left, right }
  throw new ExpressionFault(sign.at, `${left.kind} ${op} ${right.kind} means nothing`)
}

/** A size times a count is a size; a size by a size is a count. */
function scaled(op: '*' | '/', left: Expression, right: Expression): Number | undefined {
  if (!isNumber(left.kind) || !isNumber(right.kind)) return undefined
  if (right.kind === 'count') return left.kind
  if (op === '*') return left.kind === 'count' ? right.kind : undefined
  return left.kind === right.kind ? 'count' : undefined
}

/** `exact`: the text is to be the path or the address itself. */
export function membership(sign: Token, left: Expression, text: string, exact = false): Expression {
  if (left.kind === 'path') {
    const read = readPath(text)
    if ('wrong' in read || read.path.startsWith('$'))
      throw new ExpressionFault(sign.at, `${JSON.stringify(text)} is no absolute path`)
    if (exact && read.subtree) throw new ExpressionFault(sign.at, `with /** use in`)
    return { op: 'in-path', kind: 'bool', left, path: read.path, subtree: read.subtree }
  }
  if (left.kind === 'address') {
    const cidr = readCidr(text)
    if (cidr === undefined || (exact && text.includes('/')))
      throw new ExpressionFault(sign.at, `${JSON.stringify(text)} is no ${exact ? 'address' : 'address or network'}`)
    return { op: 'in-network', kind: 'bool', left, cidr }
  }
  throw new ExpressionFault(sign.at, `in needs a path or an address before it, got ${left.kind}`)
}
