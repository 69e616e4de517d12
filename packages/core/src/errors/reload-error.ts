import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_RELOAD'

/** A policy can't replace the one of a running sandbox; the old one stays in force. Respawn to have the new one. */
export class ReloadError extends PyIsolateError {
  override readonly code = code
  readonly sandbox: string
  /** What was frozen when the sandbox was started, and differs. */
  readonly frozen: readonly string[]

  constructor(sandbox: string, frozen: readonly string[], why: string) {
    super(`the policy of ${JSON.stringify(sandbox)} can't be replaced while it runs: ${why}; spawn it again`)
    this.sandbox = sandbox
    this.frozen = Object.freeze([...frozen])
  }

  static override isInstance(value: unknown): value is ReloadError {
    return hasCode(value, code)
  }
}
