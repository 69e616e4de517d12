import { nearest } from '@pyisolate/interface'
import { readSize, readTime } from '../values/quantity.js'
import type { Arithmetic, Comparison, Expression, Kind } from './ast.js'
import { arithmetic, comparison, logical, membership } from './check.js'
import { ExpressionFault, type Token, tokens } from './tokens.js'

/** Parentheses and `not` inside each other; the compiled form has registers for as many. */
const deepest = 16
/** Names, numbers and texts in one expression. */
const mostOperands = 64

/**
 * An expression to its checked form. From loose to tight: `or`, `and`, `not`, comparisons and `in`, `+ -`, `* / %`.
 * @param operands what may be named, and its kind
 * @throws ExpressionFault
 */
export function parseExpression(source: string, operands: Readonly<Record<string, Kind>>): Expression {
  const expression = new Parser(tokens(source), operands).whole()
  if (expression.kind !== 'bool') throw new ExpressionFault(0, `expected a condition, got ${expression.kind}`)
  return expression
}

class Parser {
  #next = 0
  #depth = 0
  #operands = 0

  constructor(
    private readonly list: readonly Token[],
    private readonly known: Readonly<Record<string, Kind>>,
  ) {}

  whole(): Expression {
    const expression = this.#or()
    if (this.#token.kind !== 'end') throw this.#unexpected('an operator or the end')
    return expression
  }

  get #token(): Token {
    return this.list[this.#next]!
  }

  #accept(...texts: readonly string[]): Token | undefined {
    const token = this.#token
    const plain = token.kind === 'word' || token.kind === 'sign'
    if (!plain || !texts.includes(token.text)) return undefined
    this.#next++
    return token
  }

  #or(): Expression {
    let left = this.#and()
    for (let sign = this.#accept('or'); sign !== undefined; sign = this.#accept('or'))
      left = logical(sign, 'or', left, this.#and())
    return left
  }

  #and(): Expression {
    let left = this.#not()
    for (let sign = this.#accept('and'); sign !== undefined; sign = this.#accept('and'))
      left = logical(sign, 'and', left, this.#not())
    return left
  }

  #not(): Expression {
    const sign = this.#accept('not')
    if (sign === undefined) return this.#comparison()
    const of = this.#inside(sign, () => this.#not())
    if (of.kind !== 'bool') throw new ExpressionFault(sign.at, `not needs a condition, got ${of.kind}`)
    return { op: 'not', kind: 'bool', of }
  }

  #comparison(): Expression {
    const left = this.#sum()
    const within = this.#accept('in')
    if (within !== undefined) return membership(within, left, this.#text('a pattern or a network in quotes'))
    const sign = this.#accept('==', '!=', '<', '<=', '>', '>=')
    if (sign === undefined) return left
    const op = sign.text as Comparison
    // What is compared with a path or an address is written as text.
    if (left.kind === 'path' || left.kind === 'address') {
      if (op !== '==' && op !== '!=') throw new ExpressionFault(sign.at, `${left.kind} has no order: use ==, != or in`)
      const same = membership(sign, left, this.#text(`${left.kind} in quotes`), true)
      return op === '==' ? same : { op: 'not', kind: 'bool', of: same }
    }
    return comparison(sign, op, left, this.#sum())
  }

  #sum(): Expression {
    let left = this.#product()
    for (let sign = this.#accept('+', '-'); sign !== undefined; sign = this.#accept('+', '-'))
      left = arithmetic(sign, sign.text as Arithmetic, left, this.#product())
    return left
  }

  #product(): Expression {
    let left = this.#atom()
    for (let sign = this.#accept('*', '/', '%'); sign !== undefined; sign = this.#accept('*', '/', '%'))
      left = arithmetic(sign, sign.text as Arithmetic, left, this.#atom())
    return left
  }

  #atom(): Expression {
    const token = this.#token
    const open = this.#accept('(')
    if (open !== undefined) {
      const inside = this.#inside(open, () => this.#or())
      if (this.#accept(')') === undefined) throw this.#unexpected(')')
      return inside
    }
    if (token.kind !== 'number' && token.kind !== 'word') throw this.#unexpected('a name, a number or (')
    if (++this.#operands > mostOperands)
      throw new ExpressionFault(token.at, `more than ${mostOperands} names and numbers`)
    this.#next++
    return token.kind === 'number' ? number(token) : this.#named(token)
  }

  #named({ text, at }: Token): Expression {
    if (text === 'true' || text === 'false') return { op: 'bool', kind: 'bool', value: text === 'true' }
    const kind = Object.hasOwn(this.known, text) ? this.known[text] : undefined
    if (kind !== undefined) return { op: 'operand', kind, name: text }
    const names = Object.keys(this.known)
    throw new ExpressionFault(
      at,
      `${text} is not known at this hook; known are ${names.join(', ')}`,
      nearest(text, names),
    )
  }

  #text(what: string): string {
    const token = this.#token
    if (token.kind !== 'text') throw this.#unexpected(what)
    this.#next++
    return token.text.slice(1, -1)
  }

  #inside(token: Token, read: () => Expression): Expression {
    if (++this.#depth > deepest) throw new ExpressionFault(token.at, `nested deeper than ${deepest}`)
    const expression = read()
    this.#depth--
    return expression
  }

  #unexpected(what: string): ExpressionFault {
    const { kind, text, at } = this.#token
    return new ExpressionFault(at, `expected ${what}, got ${kind === 'end' ? 'the end' : JSON.stringify(text)}`)
  }
}

function number({ text, at }: Token): Expression {
  const time = readTime(text)
  if (time !== undefined && Number.isInteger(time)) return { op: 'number', kind: 'time', value: time }
  const size = readSize(text)
  if (size === undefined) throw new ExpressionFault(at, `${text} is no whole number, size or time`)
  return { op: 'number', kind: /^\d+$/.test(text) ? 'count' : 'bytes', value: size }
}
