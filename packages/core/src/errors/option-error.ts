import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_OPTION'

/** An argument that is not what it should be; the message says what was expected and what to do. */
export class OptionError extends PyIsolateError {
  override readonly code = code
  /** Where, such as `options.limits.memory`. */
  readonly option: string

  constructor(option: string, problem: string) {
    super(`${option}: ${problem}`)
    this.option = option
  }

  static override isInstance(value: unknown): value is OptionError {
    return hasCode(value, code)
  }
}
