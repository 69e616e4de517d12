import type { Context } from './context.js'
import type { Figure } from './figure.js'

/** One group of figures that are measured together. It checks the answers of what it times. */
export interface Suite {
  readonly name: string
  /** What the limit is, for the reader of the table. */
  readonly limit: string
  run(context: Context): Promise<Figure[]>
}

/** A suite timed something whose answer was wrong: there is no figure then. */
export function check(ok: boolean, what: string): asserts ok {
  if (!ok) throw new Error(`wrong answer: ${what}`)
}
