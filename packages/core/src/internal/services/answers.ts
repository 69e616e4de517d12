import { constants } from 'node:os'
import { PyIsolateError, SpawnError } from '@pyisolate/interface'
import type { Value } from '../../value.js'

/** What a guest gets: 0 and a value; an errno, to raise `OSError` by; or a word that its own code knows. */
export type ServiceAnswer = [status: number | string, value: Value]

/** Ends a service with an errno, as a system call would. */
export class ServiceFailure extends Error {
  constructor(readonly errno: string) {
    super(errno)
  }
}

/** @throws what is no failure of an operation: a fault of ours, which the guest sees as a `HostError` */
export function failed(error: unknown): ServiceAnswer {
  if (error instanceof ServiceFailure) return [numberOf(error.errno), null]
  if ((error as Error).name === 'AbortError') return [constants.errno.ECANCELED, null]
  const { code, errno } = error as { code?: unknown; errno?: unknown }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return [code, String((error as Error).message)]
  if (code === 'EMFILE' || code === 'ENFILE') return [numberOf(code), null]
  if (!PyIsolateError.isInstance(error)) throw error
  if (typeof errno === 'string') return [numberOf(errno), null]
  if (error.code.endsWith('_TIMEOUT')) return [constants.errno.ETIMEDOUT, null]
  if (error.code.endsWith('_CLOSED')) return [constants.errno.EBADF, null]
  // Nothing to load its policy with.
  if (SpawnError.isInstance(error)) return failed(error.cause)
  throw error
}

function numberOf(name: string): number {
  return (constants.errno as Record<string, number>)[name] ?? constants.errno.EIO
}
