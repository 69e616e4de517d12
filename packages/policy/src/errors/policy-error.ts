import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_POLICY'

/** What is wrong with a policy. Stable, like a code. */
export type PolicyProblem =
  | 'syntax'
  | 'too-large'
  | 'alias'
  | 'duplicate-key'
  | 'unknown-key'
  | 'missing-key'
  | 'value'
  | 'path'
  | 'target'
  | 'expression'
  | 'forbidden'
  | 'contradiction'
  | 'cycle'
  | 'not-found'

/** Where in a document; lines and columns count from 1, columns in UTF-16 units. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** A policy that can't be used. Nothing of it has reached a sandbox. */
export class PolicyError extends PyIsolateError {
  override readonly code = code
  readonly problem: PolicyProblem
  readonly place: Place
  /** What would have been right, in words. */
  readonly expected: string
  /** The nearest valid word, where one is near. */
  readonly suggestion: string | undefined

  constructor(
    problem: PolicyProblem,
    place: Place,
    what: string,
    details: { readonly expected?: string; readonly suggestion?: string | undefined; readonly cause?: unknown } = {},
  ) {
    const { expected = '', suggestion, cause } = details
    const wanted = expected === '' ? '' : `: expected ${expected}`
    const hint = suggestion === undefined ? '' : `; did you mean ${suggestion}?`
    super(`${place.file}:${place.line}:${place.column}: ${what}${wanted}${hint}`, { cause })
    this.problem = problem
    this.place = Object.freeze({ ...place })
    this.expected = expected
    this.suggestion = suggestion
  }

  static override isInstance(value: unknown): value is PolicyError {
    return hasCode(value, code)
  }
}
