import { hasCode, PyIsolateError } from '@pyisolate/interface'
import type { Outcome } from '../outcome.js'

const code = 'ERR_PYISOLATE_TIMEOUT'

/** A call, a sandbox or a `recv` took longer than it may. */
export class TimeoutError extends PyIsolateError {
  override readonly code = code
  readonly limit: 'call' | 'wall' | 'recv'
  /** The time it had, in milliseconds. */
  readonly ms: number
  /** Set when the sandbox was ended for it; without, the sandbox lives on. */
  readonly outcome: Outcome | undefined

  constructor(message: string, details: { limit: 'call' | 'wall' | 'recv'; ms: number; outcome?: Outcome }) {
    super(message)
    this.limit = details.limit
    this.ms = details.ms
    this.outcome = details.outcome
  }

  static override isInstance(value: unknown): value is TimeoutError {
    return hasCode(value, code)
  }
}
