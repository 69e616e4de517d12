import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_UNJUSTIFIED_SKIP'

/** A test would be skipped for want of a feature that this kernel has: that is a failure. */
export class UnjustifiedSkipError extends PyIsolateError {
  override readonly code = code
  readonly feature: string

  constructor(feature: string, evidence: string) {
    super(`a test must not be skipped for want of ${feature}: ${evidence}`)
    this.feature = feature
  }

  static override isInstance(value: unknown): value is UnjustifiedSkipError {
    return hasCode(value, code)
  }
}
