import { PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_IO_TIMEOUT'

/** An operation of an I/O thread did not end within the `timeout` that it was given, and was given up. */
export class IoTimeoutError extends PyIsolateError {
  override readonly code = code
  readonly operation: string
  /** In milliseconds. */
  readonly ms: number

  constructor(operation: string, ms: number) {
    super(`${operation}: not done within ${ms} ms`)
    this.operation = operation
    this.ms = ms
  }

  static override isInstance(value: unknown): value is IoTimeoutError {
    return PyIsolateError.isInstance(value) && value.code === code
  }
}
