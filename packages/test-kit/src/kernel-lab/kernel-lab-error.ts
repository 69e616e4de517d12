import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_KERNEL_LAB'

/** `absent`: a kernel or a program that set-up provides isn't there. `timeout`, `no-result`: the run has failed. */
export type KernelLabProblem = 'absent' | 'timeout' | 'no-result'

/** A run in the kernel lab gave no result; `console` is what the virtual machine printed. */
export class KernelLabError extends PyIsolateError {
  override readonly code = code
  readonly problem: KernelLabProblem
  readonly console: string

  constructor(problem: KernelLabProblem, message: string, console = '') {
    super(console === '' ? message : `${message}; the console's last lines:\n${console.trimEnd().slice(-3000)}`)
    this.problem = problem
    this.console = console
  }

  static override isInstance(value: unknown): value is KernelLabError {
    return hasCode(value, code)
  }
}
