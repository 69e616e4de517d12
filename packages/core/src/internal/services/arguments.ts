import { constants } from 'node:fs'
import type { ServiceAddress } from '@pyisolate/interface'
import { ServiceFailure } from './answers.js'

/** What comes from a guest: each throws `EINVAL`, or what the kernel would say. */
export const take = {
  text(value: unknown, most: number): string {
    if (typeof value !== 'string' || value.includes('\0')) throw new ServiceFailure('EINVAL')
    if (Buffer.byteLength(value) > most) throw new ServiceFailure('ENAMETOOLONG')
    return value
  },
  path(value: unknown): string {
    const path = take.text(value, 4095)
    if (path === '') throw new ServiceFailure('ENOENT')
    return path
  },
  integer(value: unknown, most = Number.MAX_SAFE_INTEGER): number {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > most)
      throw new ServiceFailure('EINVAL')
    return value
  },
  bytes(value: unknown, most: number): Uint8Array {
    if (!(value instanceof Uint8Array)) throw new ServiceFailure('EINVAL')
    if (value.length > most) throw new ServiceFailure('EMSGSIZE')
    return value
  },
  /** Seconds, or `None` for no end; milliseconds of it. */
  timeout(value: unknown): number | undefined {
    if (value === null || value === undefined) return undefined
    if (typeof value !== 'number' || !(value >= 0)) throw new ServiceFailure('EINVAL')
    return Math.min(value * 1000, 2 ** 31 - 1)
  },
  flags(value: unknown): number {
    const { O_RDWR, O_WRONLY, O_CREAT, O_EXCL, O_TRUNC } = constants
    const flags = take.integer(value, 0x7fffffff)
    if ((flags & ~(O_RDWR | O_WRONLY | O_CREAT | O_EXCL | O_TRUNC)) !== 0) throw new ServiceFailure('EINVAL')
    return flags
  },
  unix(value: unknown): ServiceAddress {
    const path = take.text(value, 107)
    if (path === '' || path === '@') throw new ServiceFailure('EINVAL')
    return { path }
  },
}
