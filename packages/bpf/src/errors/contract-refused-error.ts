import { hasCode, PyIsolateError } from '@pyisolate/interface'
import { lastLines } from './bpf-error.js'

const code = 'ERR_PYISOLATE_CONTRACT_REFUSED'

/** The kernel's verifier refused a contract's program: nothing of its policy is in force. */
export class ContractRefusedError extends PyIsolateError {
  override readonly code = code
  /** Whose program it was: `open`. */
  readonly hook: string
  /** All that the verifier said. */
  readonly log: string

  constructor(hook: string, log: string, cause: unknown) {
    super(`the kernel's verifier refused the contract program of ${hook}:\n${lastLines(log, 8)}`, { cause })
    this.hook = hook
    this.log = log
  }

  static override isInstance(value: unknown): value is ContractRefusedError {
    return hasCode(value, code)
  }
}
