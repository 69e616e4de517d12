import { PyIsolateError } from '@pyisolate/interface'
import { errnoName, explainErrno } from './system-error.js'

const code = 'ERR_PYISOLATE_IO'

/** The operating system refused an operation of an I/O thread. */
export class IoError extends PyIsolateError {
  override readonly code = code
  /** The name of an errno, such as `ECONNREFUSED`. */
  readonly errno: string
  /** What was being done: `listen`, `connect`, `open`, `send`, `receive`, `accept`, `read`, `write` or `shutdown`. */
  readonly operation: string

  constructor(operation: string, errno: number) {
    super(`${operation}: ${explainErrno(errno)}`)
    this.errno = errnoName(errno)
    this.operation = operation
  }

  static override isInstance(value: unknown): value is IoError {
    return PyIsolateError.isInstance(value) && value.code === code
  }
}
