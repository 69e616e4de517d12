import { PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_IO_UNAVAILABLE'

/** No I/O thread can be had: the kernel or what confines this process refuses the backend that was asked for. */
export class IoUnavailableError extends PyIsolateError {
  override readonly code = code
  readonly backend: string
  /** The name of an errno, such as `EPERM`. */
  readonly errno: string

  constructor(backend: string, errno: string, cause: unknown) {
    super(`an I/O thread on ${backend} can't be had: ${errno}`, { cause })
    this.backend = backend
    this.errno = errno
  }

  static override isInstance(value: unknown): value is IoUnavailableError {
    return PyIsolateError.isInstance(value) && value.code === code
  }
}
