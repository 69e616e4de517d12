import { BpfError } from '../errors/bpf-error.js'
import { UnsupportedError } from '../errors/unsupported-error.js'
import { calling } from './addon.js'

export interface Requirement {
  readonly feature: string
  readonly minimumKernel: string
  readonly instead: string
}

/** A refusal, and a kernel without the hooks or the types, is what hosts are like; anything else is a fault. */
export function opening<Result>({ feature, ...requirement }: Requirement, body: () => Result): Result {
  try {
    return calling(body)
  } catch (error) {
    if (!BpfError.isInstance(error)) throw error
    const why = refusals[error.error]
    if (why === undefined) throw error
    throw new UnsupportedError(feature, `${error.call}: ${error.error} (${why})`, { ...requirement, cause: error })
  }
}

const refusals: Readonly<Record<string, string>> = {
  EPERM: 'the kernel or a missing capability forbids it',
  EACCES: 'a security module forbids it',
  ENOSYS: 'the kernel has no bpf(2)',
  ESRCH: 'the kernel has no type information (BTF), or not these hooks',
  ENOENT: 'the kernel has no type information (BTF)',
  EOPNOTSUPP: 'the kernel is built without it',
}
