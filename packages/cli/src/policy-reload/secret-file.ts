import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { UsageError } from '../errors/usage-error.js'

/** Of a key or a token, in bytes. */
const largest = 16 * 1024

/** The text of a file that is nobody else's to read. @throws UsageError */
export function readSecret(file: string, what: string): string {
  let descriptor: number
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    throw new UsageError(`${file}: ${what} can't be read (${(cause as NodeJS.ErrnoException).code})`, { cause })
  }
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile() || stats.size > largest)
      throw new UsageError(`${file}: expected ${what} in a regular file of at most ${largest} bytes`)
    if ((stats.mode & 0o077) !== 0)
      throw new UsageError(`${file}: others can read or write ${what}; chmod 600 it, and have another one if they did`)
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}
