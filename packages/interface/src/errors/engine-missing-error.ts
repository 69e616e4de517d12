import { hasCode, PyIsolateError } from './pyisolate-error.js'

const code = 'ERR_PYISOLATE_ENGINE_MISSING'

/** The engine's executable, addon or Python home isn't there; the message says how to get it. */
export class EngineMissingError extends PyIsolateError {
  override readonly code = code

  static override isInstance(value: unknown): value is EngineMissingError {
    return hasCode(value, code)
  }
}
