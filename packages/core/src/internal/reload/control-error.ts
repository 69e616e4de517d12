import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_CONTROL'

/** `path`: the socket can't be made there. `in-use`: somebody answers there. The others: what is wrong with a request. */
export type ControlProblem = 'path' | 'in-use' | 'method' | 'not-found' | 'too-large' | 'type' | 'request'

/** The control socket can't be opened, or a request to it can't be read. */
export class ControlError extends PyIsolateError {
  override readonly code = code
  readonly problem: ControlProblem

  constructor(problem: ControlProblem, message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.problem = problem
  }

  static override isInstance(value: unknown): value is ControlError {
    return hasCode(value, code)
  }
}
