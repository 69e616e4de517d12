import { getSystemErrorName } from 'node:util'
import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_BPF'

/** A call of libbpf or bpf(2) failed. */
export class BpfError extends PyIsolateError {
  override readonly code = code
  /** What was tried: `load`, `attach pyi_file_open`, `update files`. */
  readonly call: string
  /** `EPERM`. */
  readonly error: string
  /** All that libbpf and the kernel's verifier said, or ''. */
  readonly log: string

  constructor(call: string, errno: number, log: string) {
    const error = errnoName(errno)
    super(`${call}: ${error}${log === '' ? '' : `\n${lastLines(log, 12)}`}`)
    this.call = call
    this.error = error
    this.log = log
  }

  static override isInstance(value: unknown): value is BpfError {
    return hasCode(value, code)
  }
}

export function errnoName(errno: number): string {
  return errno > 0 && errno < 4096 ? getSystemErrorName(-errno) : `errno ${errno}`
}

export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n')
}
