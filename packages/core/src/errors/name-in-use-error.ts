import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_NAME_IN_USE'

/** A living sandbox of the same supervisor has this name. */
export class NameInUseError extends PyIsolateError {
  override readonly code = code
  readonly sandbox: string

  constructor(sandbox: string) {
    super(`a sandbox named ${JSON.stringify(sandbox)} is running: close it first, or choose another name`)
    this.sandbox = sandbox
  }

  static override isInstance(value: unknown): value is NameInUseError {
    return hasCode(value, code)
  }
}
