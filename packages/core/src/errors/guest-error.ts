import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_GUEST'

/** One frame of a Python traceback; all of it is the guest's word. */
export interface GuestFrame {
  readonly file: string
  /** Counted from 1; 0 when Python doesn't know. */
  readonly line: number
  readonly function: string
  /** The line of source, without its indentation; empty when Python doesn't have it. */
  readonly source: string
}

/** A Python exception that guest code did not catch. */
export class GuestError extends PyIsolateError {
  override readonly code = code
  /** Name of the exception's class, such as `ZeroDivisionError`. */
  readonly type: string
  /** The module of the class, such as `builtins`. */
  readonly module: string
  /** `str()` of the exception. */
  readonly guestMessage: string
  /** As Python prints it. */
  readonly traceback: string
  /** Outermost first, as in the traceback. */
  readonly frames: readonly GuestFrame[]

  constructor(details: {
    type: string
    module: string
    message: string
    traceback: string
    frames: readonly GuestFrame[]
  }) {
    const last = details.frames.at(-1)
    const where = last === undefined ? '' : ` (${last.file}, line ${last.line})`
    super(`${details.type}${details.message === '' ? '' : `: ${details.message}`}${where}`)
    this.type = details.type
    this.module = details.module
    this.guestMessage = details.message
    this.traceback = details.traceback
    this.frames = details.frames
  }

  static override isInstance(value: unknown): value is GuestError {
    return hasCode(value, code)
  }
}
