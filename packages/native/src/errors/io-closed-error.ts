import { PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_IO_CLOSED'

/** A stream, listener, file or the I/O thread itself was closed by this side before an operation, or during it. */
export class IoClosedError extends PyIsolateError {
  override readonly code = code
  readonly operation: string

  constructor(operation: string) {
    super(`${operation}: it was closed`)
    this.operation = operation
  }

  static override isInstance(value: unknown): value is IoClosedError {
    return PyIsolateError.isInstance(value) && value.code === code
  }
}
