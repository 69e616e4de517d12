import type { Expression } from '../contracts/ast.js'
import { type Hook, hookNames, operandsOf } from '../contracts/operands.js'
import { parseExpression } from '../contracts/parse.js'
import { ExpressionFault } from '../contracts/tokens.js'
import type { ScalarNode } from '../document/node.js'
import { type Place, PolicyError } from '../errors/policy-error.js'
import { expectText, fields, type Read, text, word } from './read.js'

/** What must hold at a hook, and what happens when it doesn't. */
export interface Contract {
  readonly name: string
  readonly on: Hook
  /** As it was written, and checked. */
  readonly source: string
  readonly assert: Expression
  readonly action: 'deny' | 'log' | 'kill'
  readonly place: Place
}

interface Written {
  readonly name: string
  readonly on: Hook
  readonly assert: ScalarNode
  readonly action: 'deny' | 'log' | 'kill'
}

const read = fields<Written>(
  {
    name: text('a name', 100),
    on: word(hookNames),
    assert: (node) => expectText(node, 'a condition such as opens <= 100'),
    action: word(['deny', 'log', 'kill']),
  },
  'a contract: name, on, assert and action',
  ['name', 'on', 'assert'],
)

export const contract: Read<Contract> = (node) => {
  const { name, on, assert, action = 'deny' } = read(node) as Written
  return { name, on, source: assert.text, assert: checked(assert, on), action, place: node.place }
}

function checked(scalar: ScalarNode, on: Hook): Expression {
  try {
    return parseExpression(scalar.text, operandsOf(on))
  } catch (error) {
    if (!(error instanceof ExpressionFault)) throw error
    throw new PolicyError('expression', placeIn(scalar, error.at), error.message, { suggestion: error.suggestion })
  }
}

/** Of a text on several lines only its start is known. */
function placeIn({ place, text: source, plain }: ScalarNode, at: number): Place {
  return source.includes('\n') ? place : { ...place, column: place.column + at + (plain ? 0 : 1) }
}
