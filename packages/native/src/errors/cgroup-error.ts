import { PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_CGROUP'

/** `cpuacct` is the part of version 1 that counts CPU time. */
export type CgroupController = 'cpu' | 'cpuacct' | 'memory' | 'pids'

/** Of a control group: a limit out of range, a controller that isn't there, or a file that the kernel refused. */
export class CgroupError extends PyIsolateError {
  override readonly code = code
  /** Whose limit, or file, it is; `undefined` for what all controllers share. */
  readonly controller: CgroupController | undefined
  /** The control file, or the group's folder; `undefined` if the kernel wasn't asked. */
  readonly file: string | undefined
  /** The name of an errno, such as `EACCES`; `undefined` if the kernel wasn't asked. */
  readonly errno: string | undefined

  constructor(
    message: string,
    about: {
      readonly controller?: CgroupController | undefined
      readonly file?: string
      readonly errno?: string
      readonly cause?: unknown
    } = {},
  ) {
    super(message, { cause: about.cause })
    this.controller = about.controller
    this.file = about.file
    this.errno = about.errno
  }

  static override isInstance(value: unknown): value is CgroupError {
    return PyIsolateError.isInstance(value) && value.code === code
  }
}
