import { readdirSync, statSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { PolicySourceError } from '../policy-source-error.js'

/** In one folder. */
const mostFiles = 1000
const extension = '.yaml'

/** The policies of a file or folder, names to files. Hidden files are editors' and Kubernetes'. @throws PolicySourceError */
export function listPolicies(path: string): { readonly folder: boolean; readonly files: ReadonlyMap<string, string> } {
  try {
    // What isn't a folder is a file: reading it will say what is wrong with it.
    if (!statSync(path).isDirectory()) return { folder: false, files: one(path) }
    const names = readdirSync(path).filter((name) => name.endsWith(extension) && !name.startsWith('.'))
    if (names.length > mostFiles)
      throw new PolicySourceError('too-large', path, `${names.length} policies in one folder`, {
        expected: `at most ${mostFiles}`,
      })
    const files = names.sort().map((name) => [basename(name, extension), join(path, name)] as const)
    return { folder: true, files: new Map(files) }
  } catch (cause) {
    if (PolicySourceError.isInstance(cause)) throw cause
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause)
    const gone = why === 'ENOENT' || why === 'ENOTDIR'
    const what = gone ? 'nothing is there' : `it can't be read (${why})`
    throw new PolicySourceError(gone ? 'missing' : 'file', path, what, {
      expected: 'a policy, or a folder of policies',
      cause,
    })
  }
}

function one(path: string): ReadonlyMap<string, string> {
  return new Map([[basename(path, extname(path)), path]])
}
