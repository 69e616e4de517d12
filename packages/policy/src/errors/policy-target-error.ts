import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_POLICY_TARGET'

/**
 * A policy that was read can't be turned into what an enforcer takes, or what an enforcer takes can't be read: a
 * variable or a view that is no normal path, a table that is too large or damaged. The policy itself is not at fault.
 */
export class PolicyTargetError extends PyIsolateError {
  override readonly code = code
  /** What would have been right, in words. */
  readonly expected: string

  constructor(what: string, expected: string) {
    super(`${what}: expected ${expected}`)
    this.expected = expected
  }

  static override isInstance(value: unknown): value is PolicyTargetError {
    return hasCode(value, code)
  }
}
