import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_USAGE'

/** The command line is not what the command takes, or names a file that can't be read. */
export class UsageError extends PyIsolateError {
  override readonly code = code

  static override isInstance(value: unknown): value is UsageError {
    return hasCode(value, code)
  }
}
