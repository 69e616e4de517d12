import { hasCode, PyIsolateError } from '@pyisolate/interface'
import type { Outcome } from '../outcome.js'

const code = 'ERR_PYISOLATE_SANDBOX_CLOSED'

/** The sandbox has ended, before or during the call; `outcome` says how. */
export class SandboxClosedError extends PyIsolateError {
  override readonly code = code
  readonly sandbox: string
  readonly outcome: Outcome

  constructor(sandbox: string, outcome: Outcome) {
    super(`sandbox ${JSON.stringify(sandbox)} has ended: ${outcome.message}`)
    this.sandbox = sandbox
    this.outcome = outcome
  }

  static override isInstance(value: unknown): value is SandboxClosedError {
    return hasCode(value, code)
  }
}
