import type { Value } from '../../value.js'
import type { Budget } from '../values/budget.js'
import { malformed } from '../values/malformed-error.js'
import { field, integer, record, text } from './shapes.js'

const kinds = ['exit', 'closed', 'memory', 'cpu', 'protocol', 'refused', 'internal'] as const

export const exitBudget: Budget = { bytes: 2 ** 18, depth: 1, items: 16 }

/** What the sandbox itself says of its end. */
export interface ExitFrame {
  readonly kind: (typeof kinds)[number]
  readonly code: number
  readonly message: string
}

/** @throws MalformedError */
export function readExit(value: Value): ExitFrame {
  const fields = record(value, 'an exit')
  const kind = kinds.find((known) => known === field(fields, 'kind'))
  if (kind === undefined) malformed("an exit's kind is unknown")
  return {
    kind,
    code: integer(field(fields, 'code') ?? 0, "an exit's code", -(2 ** 31), 2 ** 32),
    message: text(field(fields, 'message') ?? '', "an exit's message", 65_536),
  }
}
