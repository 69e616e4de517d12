import { dirname, isAbsolute, resolve as resolvePath } from 'node:path'
import { nearest } from '@pyisolate/interface'
import { type Place, PolicyError, type PolicyProblem } from '../errors/policy-error.js'
import type { Resolve } from '../load.js'
import { template, templateNames } from '../templates.js'
import type { FileInput, InputFailure } from './read-input.js'

/** Whether `extends` means a file, as `loadPolicy` reads names. */
export function isPath(name: string): boolean {
  return name.startsWith('.') || isAbsolute(name)
}

/** Of a document from elsewhere: templates, and no file of ours. @throws PolicyError */
export const resolveTemplate: Resolve = (name, _from, place) => {
  const found = isPath(name) ? undefined : template(name)
  if (found !== undefined) return found
  const what = isPath(name) ? `${JSON.stringify(name)} is a file, which may not be extended from here` : undefined
  throw new PolicyError('not-found', place, what ?? `there is no template ${JSON.stringify(name)}`, {
    expected: `one of ${templateNames().join(', ')}`,
    suggestion: isPath(name) ? undefined : nearest(name, templateNames()),
  })
}

/** Templates, and files as `read` finds them; paths start from the document that names them. @throws PolicyError */
export function resolveFiles(read: (file: string, place: Place) => string): Resolve {
  return (name, from, place) => {
    if (!isPath(name)) return resolveTemplate(name, from, place)
    const file = resolvePath(dirname(from), name)
    return { file, text: read(file, place) }
  }
}

const problems: Readonly<Record<InputFailure['kind'], PolicyProblem>> = {
  missing: 'not-found',
  unreadable: 'not-found',
  'too-large': 'too-large',
  'not-text': 'syntax',
}

/** The text of an input. @throws PolicyError */
export function textOf(input: FileInput, place: Place): string {
  if (input.text !== undefined) return input.text
  const { kind, what, expected, cause } = input.failure!
  throw new PolicyError(problems[kind], place, `${input.file} ${what}`, { expected, cause })
}
