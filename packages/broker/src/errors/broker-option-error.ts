import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_BROKER_OPTION'

/** An option of this package isn't what it should be, or one is missing that another one needs. Fix the program. */
export class BrokerOptionError extends PyIsolateError {
  override readonly code = code
  readonly option: string
  /** What would have been right, in words. */
  readonly expected: string

  constructor(option: string, expected: string, options: { readonly cause?: unknown } = {}) {
    super(`option ${option}: expected ${expected}`, options)
    this.option = option
    this.expected = expected
  }

  static override isInstance(value: unknown): value is BrokerOptionError {
    return hasCode(value, code)
  }
}
