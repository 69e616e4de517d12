import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_VALUE'

/** A value that can't cross into a sandbox; `path` says which part of it. */
export class ValueEncodingError extends PyIsolateError {
  override readonly code = code
  /** From the value's root, such as `$.rows[3].fn`. */
  readonly path: string

  constructor(path: string, reason: string) {
    super(`value at ${path}: ${reason}`)
    this.path = path
  }

  static override isInstance(value: unknown): value is ValueEncodingError {
    return hasCode(value, code)
  }
}
