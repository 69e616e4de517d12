import { hasCode, PyIsolateError } from './pyisolate-error.js'

const code = 'ERR_PYISOLATE_REFUSED'

/** The sandbox was not started because this host can't confine it: PyIsolate fails closed. */
export class RefusedError extends PyIsolateError {
  override readonly code = code
  /** The essential mechanisms that are missing, as in `Enforcement`; empty when the engine could only say why in words. */
  readonly missing: readonly string[]

  constructor(message: string, options: { missing?: readonly string[]; cause?: unknown } = {}) {
    super(message, options)
    this.missing = Object.freeze([...(options.missing ?? [])])
  }

  static override isInstance(value: unknown): value is RefusedError {
    return hasCode(value, code)
  }
}
