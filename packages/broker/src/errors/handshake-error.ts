import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_HANDSHAKE'

/**
 * Why there is no channel. Stable, like a code.
 *
 * `order`: a message was written or read out of turn, or after the end. `message`: the peer's message is too short, too
 * long, or no message at all. `authentication`: it was changed, is of another session, or the peer has other keys, another
 * pre-shared key or another prologue. `point`: its public key is one that would give everybody the same secret. `pq`: one
 * side insists on the hybrid form and the other doesn't have it. `protocol`: the sides speak different protocols. `peer`:
 * the peer has proved who it is, and isn't wanted. `timeout`, `transport`: the peer was silent, or went away.
 */
export type HandshakeProblem =
  | 'order'
  | 'message'
  | 'authentication'
  | 'point'
  | 'pq'
  | 'protocol'
  | 'peer'
  | 'timeout'
  | 'transport'

/** A handshake that failed. Its keys are wiped, and no byte of application data has been accepted. */
export class HandshakeError extends PyIsolateError {
  override readonly code = code
  readonly problem: HandshakeProblem

  constructor(problem: HandshakeProblem, what: string, options: { readonly cause?: unknown } = {}) {
    super(`the handshake failed: ${what}`, options)
    this.problem = problem
  }

  static override isInstance(value: unknown): value is HandshakeError {
    return hasCode(value, code)
  }
}
