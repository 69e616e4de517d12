import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_CGROUP'

/** A control group's file can't be read or written. */
export class CgroupError extends PyIsolateError {
  override readonly code = code
  readonly file: string
  readonly errno: string

  constructor(file: string, value: string | undefined, cause: unknown) {
    const errno = (cause as NodeJS.ErrnoException).code ?? String(cause)
    const what = value === undefined ? `${file} can't be read` : `${JSON.stringify(value)} can't be written to ${file}`
    super(`${what} (${errno}): a delegated cgroup is needed, or root`, { cause })
    this.file = file
    this.errno = errno
  }

  static override isInstance(value: unknown): value is CgroupError {
    return hasCode(value, code)
  }
}
