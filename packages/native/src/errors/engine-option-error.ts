import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_ENGINE_OPTION'

/** An option of `createNativeEngine` isn't what it should be. Fix the program. */
export class EngineOptionError extends PyIsolateError {
  override readonly code = code
  readonly option: string
  /** What would have been right, in words. */
  readonly expected: string

  constructor(option: string, expected: string, got: unknown) {
    super(`option ${option}: expected ${expected}, got ${typeof got === 'string' ? JSON.stringify(got) : String(got)}`)
    this.option = option
    this.expected = expected
  }

  static override isInstance(value: unknown): value is EngineOptionError {
    return hasCode(value, code)
  }
}
