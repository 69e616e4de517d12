import { hasCode, PyIsolateError } from './pyisolate-error.js'

const code = 'ERR_PYISOLATE_SPAWN'

/** A sandbox could not be started: no process, no memory, no descriptors, or its zygote failed. */
export class SpawnError extends PyIsolateError {
  override readonly code = code

  static override isInstance(value: unknown): value is SpawnError {
    return hasCode(value, code)
  }
}
