import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_IDENTITY'

/**
 * What is wrong with an identity document. Stable, like a code.
 *
 * `missing`: none was sent. `malformed`: it is no such document. `signer`: nobody who is trusted signed it, or with fewer
 * algorithms than that signer has. `signature`: a signature doesn't verify. `expired`: it is not valid now. `key`: it is
 * about another key than the peer proved to have.
 */
export type IdentityProblem = 'missing' | 'malformed' | 'signer' | 'signature' | 'expired' | 'key'

/** An identity that isn't believed. */
export class IdentityError extends PyIsolateError {
  override readonly code = code
  readonly problem: IdentityProblem

  constructor(problem: IdentityProblem, what: string, options: { readonly cause?: unknown } = {}) {
    super(`the peer's identity is refused: ${what}`, options)
    this.problem = problem
  }

  static override isInstance(value: unknown): value is IdentityError {
    return hasCode(value, code)
  }
}
