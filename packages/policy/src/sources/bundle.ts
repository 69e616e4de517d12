import { resolve as resolvePath } from 'node:path'
import type { CompiledPolicy } from '../compile/compiled-policy.js'
import { PolicyError } from '../errors/policy-error.js'
import { compilePolicy } from '../load.js'
import { largestDocument, readInput } from './read-input.js'
import { resolveFiles, textOf } from './resolve.js'

/** One document of a bundle. `file` is its absolute path where it was bundled; it is a name here, nothing opens it. */
export interface BundledDocument {
  readonly file: string
  readonly text: string
}

/** A document, first, and every file it extends: what a policy is sent as to where its files are not. */
export type PolicyBundle = readonly BundledDocument[]

/** Reads a file and every file it extends, and compiles them. @throws PolicyError */
export function bundlePolicy(path: string): { readonly policy: CompiledPolicy; readonly bundle: PolicyBundle } {
  const bundle: BundledDocument[] = []
  const read = (file: string, place = { file, line: 1, column: 1 }): string => {
    const text = textOf(readInput(file), place)
    bundle.push({ file, text })
    return text
  }
  const file = resolvePath(path)
  const policy = compilePolicy(read(file), { file, resolve: resolveFiles(read) })
  return { policy, bundle }
}

/** Compiles a bundle from elsewhere: no file of this machine is opened for it but templates. @throws PolicyError */
export function compileBundle(bundle: PolicyBundle): CompiledPolicy {
  const [first] = bundle
  const start = { file: first?.file ?? '<bundle>', line: 1, column: 1 }
  if (first === undefined)
    throw new PolicyError('missing-key', start, 'the bundle is empty', { expected: 'at least one document' })
  const bytes = bundle.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
  if (bytes > largestDocument)
    throw new PolicyError('too-large', start, `the documents have ${bytes} bytes`, {
      expected: `at most ${largestDocument}`,
    })
  const resolve = resolveFiles((file, place) => {
    const found = bundle.find((document) => document.file === file)
    if (found !== undefined) return found.text
    throw new PolicyError('not-found', place, `${file} is not in the bundle`, { expected: 'a file that is' })
  })
  return compilePolicy(first.text, { file: first.file, resolve })
}
