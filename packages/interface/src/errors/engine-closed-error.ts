import { hasCode, PyIsolateError } from './pyisolate-error.js'

const code = 'ERR_PYISOLATE_ENGINE_CLOSED'

/** `spawn` on an engine after its `close()`. */
export class EngineClosedError extends PyIsolateError {
  override readonly code = code

  static override isInstance(value: unknown): value is EngineClosedError {
    return hasCode(value, code)
  }
}
