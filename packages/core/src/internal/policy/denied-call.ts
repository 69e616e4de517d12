import type { Denial } from '../../denial.js'

/** A program that a guest can't execute, or a system call that it doesn't have. */
export interface DeniedCall extends Pick<Denial, 'object'> {
  readonly operation: 'exec' | 'call'
  /** The number of the one that denies the call by name. */
  readonly rule: number | undefined
}

const pathMax = 4096

/**
 * What the guest's Python says it was refused; `undefined` for a call that the policy doesn't deny. That a program isn't
 * executed goes without saying: `execve` is in no profile.
 * @throws Error that the guest is told, for what is no such thing
 */
export function readDeniedCall(
  operation: unknown,
  object: unknown,
  explain: (name: string) => { readonly allowed: boolean; readonly rule: number | undefined },
): DeniedCall | undefined {
  if (typeof object !== 'string' || object === '' || object.length > pathMax || object.includes('\0'))
    throw new Error('neither a program nor a system call')
  if (operation === 'exec') return { operation, object, rule: undefined }
  if (operation !== 'call' || !/^[a-z][a-z0-9_]{0,63}$/.test(object)) throw new Error('not a system call')
  const { allowed, rule } = explain(object)
  return allowed ? undefined : { operation, object, rule }
}
