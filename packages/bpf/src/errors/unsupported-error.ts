import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_UNSUPPORTED'

/** This host's kernel can't do it, or refuses to. */
export class UnsupportedError extends PyIsolateError {
  override readonly code = code
  /** As in `Support.feature`. */
  readonly feature: string
  /** The first kernel that has it, `5.19`; a kernel's build and its administrator must want it as well. */
  readonly minimumKernel: string
  /** What PyIsolate enforces with in its place. */
  readonly instead: string

  constructor(feature: string, why: string, options: { minimumKernel: string; instead: string; cause?: unknown }) {
    const { minimumKernel, instead, cause } = options
    super(`${feature}: ${why}; it needs Linux ${minimumKernel}; used instead: ${instead}`, { cause })
    this.feature = feature
    this.minimumKernel = minimumKernel
    this.instead = instead
  }

  static override isInstance(value: unknown): value is UnsupportedError {
    return hasCode(value, code)
  }
}
