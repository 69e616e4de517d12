import type { Context } from './context.js'
import type { Figure } from './figure.js'

/** One group of figures that are measured together. It checks the answers of what it times. */
export interface Suite {
  readonly name: string
  /** What the limit is, for the reader of the table. */
  readonly limit: string
  /** Why this host can't run it; `undefined`, or absent, if it can. */
  missing?(): string | undefined
  run(context: Context): Promise<Figure[]>
}

/** A suite timed something whose answer was wrong: there is no figure then. */
export function check(ok: boolean, what: string): asserts ok {
  if (!ok) throw new Error(`wrong answer: ${what}`)
}
