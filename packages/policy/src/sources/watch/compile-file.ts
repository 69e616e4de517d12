import { createHash } from 'node:crypto'
import type { CompiledPolicy } from '../../compile/compiled-policy.js'
import { PolicyError } from '../../errors/policy-error.js'
import { compilePolicy } from '../../load.js'
import { PolicySourceError } from '../policy-source-error.js'
import { type FileInput, readInput } from '../read-input.js'
import { resolveFiles, textOf } from '../resolve.js'

/** What came of a file, and of which files it came: as long as these stay, so does the result. */
export interface Compilation {
  /** Every file that was read or looked for, the first one first. */
  readonly inputs: readonly FileInput[]
  /** SHA-256 over the inputs' texts, in hex. */
  readonly version: string
  readonly policy: CompiledPolicy | undefined
  readonly error: PolicyError | PolicySourceError | undefined
}

/** Reads and compiles a file with all that it extends. What is wrong with it is a part of the result. */
export function compileFile(file: string): Compilation {
  const inputs: FileInput[] = []
  const read = (path: string, place = { file: path, line: 1, column: 1 }): string => {
    const input = readInput(path)
    inputs.push(input)
    return textOf(input, place)
  }
  try {
    const policy = compilePolicy(read(file), { file, resolve: resolveFiles(read) })
    return { inputs, version: versionOf(inputs), policy, error: undefined }
  } catch (error) {
    if (!PolicyError.isInstance(error)) throw error
    return { inputs, version: versionOf(inputs), policy: undefined, error: missing(file, inputs) ?? error }
  }
}

/** That the policy itself is gone is a matter of the source; that its parent is, one of the policy. */
function missing(file: string, [own]: readonly FileInput[]): PolicySourceError | undefined {
  if (own?.failure?.kind !== 'missing') return undefined
  return new PolicySourceError('missing', file, 'the file is gone', { expected: 'a policy', cause: own.failure.cause })
}

function versionOf(inputs: readonly FileInput[]): string {
  const whole = createHash('sha256')
  for (const { text = '' } of inputs) whole.update(createHash('sha256').update(text).digest())
  return whole.digest('hex')
}
