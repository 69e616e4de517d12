import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_TOKEN'

/** Why a token was refused. `unknown`: never minted, mistyped or revoked. `used`: it was good for one use. Stable. */
export type TokenProblem = 'unknown' | 'expired' | 'used' | 'out-of-scope'

const advice: Readonly<Record<TokenProblem, string>> = {
  unknown: 'no such token, or it was revoked: expected one that this supervisor minted',
  expired: 'the token has expired: have another one minted',
  used: 'the token was good for one use: have another one minted',
  'out-of-scope': 'the token is not for this: have one minted whose scope covers it',
}

/** A token that doesn't allow what was asked with it. Nothing was done. Never holds the token. */
export class TokenError extends PyIsolateError {
  override readonly code = code
  readonly problem: TokenProblem

  constructor(problem: TokenProblem) {
    super(advice[problem])
    this.problem = problem
  }

  static override isInstance(value: unknown): value is TokenError {
    return hasCode(value, code)
  }
}
