import { lstatSync, readlinkSync } from 'node:fs'
import { join, parse, resolve, sep } from 'node:path'

/** As many as the kernel follows (path_resolution(7)). */
const mostLinks = 40

/**
 * The folders in which a change can make `path` lead to something else: where it lies, and where every symbolic link
 * on the way there lies; where it stops, if it leads nowhere.
 */
export function foldersOf(path: string): ReadonlySet<string> {
  const folders = new Set<string>()
  let { root: at } = parse(path)
  let rest = parts(path)
  for (let links = 0; rest.length > 0; ) {
    const next = join(at, rest[0]!)
    const found = lookAt(next)
    if (found !== 'there' || rest.length === 1) folders.add(at)
    if (found === 'gone') return folders
    rest = rest.slice(1)
    if (found === 'there') {
      at = next
    } else {
      if (++links > mostLinks) return folders
      const target = resolve(at, found.target)
      at = parse(target).root
      rest = [...parts(target), ...rest]
    }
  }
  return folders
}

function lookAt(path: string): 'there' | 'gone' | { readonly target: string } {
  try {
    return lstatSync(path).isSymbolicLink() ? { target: readlinkSync(path) } : 'there'
  } catch {
    return 'gone' // or out of reach, or replaced this moment: the folder it is in tells when it can be looked at again
  }
}

function parts(path: string): string[] {
  return path.split(sep).filter((part) => part !== '')
}
