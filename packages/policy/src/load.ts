import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, resolve as resolvePath } from 'node:path'
import { nearest } from '@pyisolate/interface'
import { type CompiledPolicy, nowhere } from './compile/compiled-policy.js'
import { compileDocuments, type ReadDocument } from './compile/merge.js'
import { parseDocument } from './document/parse.js'
import { type Place, PolicyError } from './errors/policy-error.js'
import { readPolicy } from './schema/policy-document.js'
import { netRecords } from './targets/rule-records.js'
import { template, templateNames } from './templates.js'

/** Policies that extend each other; more of them are a mistake. */
const longestChain = 8

interface Source {
  readonly file: string
  readonly text: string
}

/** Finds what `extends` names. `from` is the file that does, `place` the name in it. @throws PolicyError */
export type Resolve = (name: string, from: string, place: Place) => Source

/**
 * The policy of a file or of a template, with all that it extends.
 * @param name a template's name (`compute`), or a path: absolute, or starting with a dot
 * @throws PolicyError
 */
export function loadPolicy(name: string): CompiledPolicy {
  return compileSource(findPolicy(name, `${process.cwd()}/policy`, { ...nowhere, file: name }), findPolicy)
}

/**
 * The policy of a text. What it extends is looked for as files do it, unless `resolve` says otherwise.
 * @param options.file what places in errors name; the folder that relative names start from
 * @throws PolicyError
 */
export function compilePolicy(
  text: string,
  options: { readonly file?: string; readonly resolve?: Resolve } = {},
): CompiledPolicy {
  const { file = '<policy>', resolve = findPolicy } = options
  return compileSource({ file, text }, resolve)
}

function compileSource(source: Source, resolve: Resolve): CompiledPolicy {
  const documents: ReadDocument[] = []
  const read = (current: Source, chain: readonly string[]): void => {
    const document = readPolicy(parseDocument(current.text, current.file))
    for (const { name, place } of document.extends ?? []) {
      const parent = resolve(name, current.file, place)
      const inside = [...chain, parent.file]
      if (chain.includes(parent.file)) throw new PolicyError('cycle', place, `it extends itself: ${inside.join(' → ')}`)
      if (inside.length > longestChain)
        throw new PolicyError('cycle', place, `more than ${longestChain} policies extend each other`)
      // Two ways to the same parent are one.
      if (!documents.some(({ file }) => file === parent.file)) read(parent, inside)
    }
    documents.push({ file: current.file, document })
  }
  read(source, [source.file])
  const policy = compileDocuments(documents)
  netRecords(policy)
  return policy
}

function findPolicy(name: string, from: string, place: Place): Source {
  if (!name.startsWith('.') && !isAbsolute(name)) {
    const found = template(name)
    if (found !== undefined) return found
    throw new PolicyError('not-found', place, `there is no template ${JSON.stringify(name)}`, {
      expected: `${templateNames().join(', ')}, or a path such as ./base.yaml`,
      suggestion: nearest(name, templateNames()),
    })
  }
  const file = resolvePath(dirname(from), name)
  try {
    return { file, text: readFileSync(file, 'utf8') }
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause)
    throw new PolicyError('not-found', place, `${file} can't be read (${why})`, { expected: 'a file that can', cause })
  }
}
