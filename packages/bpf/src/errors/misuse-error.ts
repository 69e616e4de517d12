import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_BPF_MISUSE'

/** A slot, a sandbox or a policy that can't be meant: the caller's mistake, nothing has changed. */
export class BpfMisuseError extends PyIsolateError {
  override readonly code = code

  static override isInstance(value: unknown): value is BpfMisuseError {
    return hasCode(value, code)
  }
}
