import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_SUPERVISOR_CLOSED'

/** `spawn` on a supervisor that is closed or closing. */
export class SupervisorClosedError extends PyIsolateError {
  override readonly code = code

  static override isInstance(value: unknown): value is SupervisorClosedError {
    return hasCode(value, code)
  }
}
