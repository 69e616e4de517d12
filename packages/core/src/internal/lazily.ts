import { closeSync, openSync } from 'node:fs'
import { SpawnError } from '@pyisolate/interface'

/** More than the largest of our packages has files open at once while it is loaded. */
const descriptors = 32

/**
 * Loads a package on its first use. Node.js remembers for the life of the process that it found none, also where all that
 * was missing was a descriptor to look with: so there must be some first. @throws SpawnError, with the system's error as
 * its cause, or what `load` rejects with
 */
export async function lazily<T>(what: string, load: () => Promise<T>): Promise<T> {
  const held: number[] = []
  try {
    while (held.length < descriptors) held.push(openSync('/dev/null', 'r'))
  } catch (cause) {
    const why = `there is no descriptor left to load ${what} with`
    throw new SpawnError(`${why}: close sandboxes or raise the limit of open files (ulimit -n)`, { cause })
  } finally {
    for (const descriptor of held) closeSync(descriptor)
  }
  return load()
}
