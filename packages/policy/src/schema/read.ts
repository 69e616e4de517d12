import { nearest } from '@pyisolate/interface'
import { describeNode, isEmpty, type MappingNode, type Node, type ScalarNode } from '../document/node.js'
import { PolicyError } from '../errors/policy-error.js'

/** Reads one node, or throws a PolicyError at its place. */
export type Read<T> = (node: Node) => T

export function expectMapping(node: Node, what: string): MappingNode {
  if (node.kind === 'mapping') return node
  throw new PolicyError('value', node.place, describeNode(node), { expected: what })
}

export function expectText(node: Node, what: string): ScalarNode {
  if (node.kind === 'scalar' && !isEmpty(node)) return node
  throw new PolicyError('value', node.place, describeNode(node), { expected: what })
}

/** A mapping with known keys, all of which may be left out; those that are there are read by their own reader. */
export function fields<T>(
  readers: { readonly [K in keyof T]-?: Read<T[K]> },
  what: string,
  required: readonly (keyof T & string)[] = [],
): Read<Partial<T>> {
  const known = Object.keys(readers)
  return (node) => {
    const { entries, place } = expectMapping(node, what)
    const read: Partial<T> = {}
    for (const [name, { key, value }] of entries) {
      if (!Object.hasOwn(readers, name)) {
        throw new PolicyError('unknown-key', key.place, `the key ${JSON.stringify(name)} is not known here`, {
          expected: known.join(', '),
          suggestion: nearest(name, known),
        })
      }
      if (!isEmpty(value)) read[name as keyof T] = readers[name as keyof T](value)
    }
    for (const name of required) {
      if (!(name in read)) throw new PolicyError('missing-key', place, `the key ${name} is missing`, { expected: what })
    }
    return read
  }
}

export function list<T>(item: Read<T>, what: string): Read<readonly T[]> {
  return (node) => {
    if (node.kind !== 'sequence')
      throw new PolicyError('value', node.place, describeNode(node), { expected: `a list, each item ${what}` })
    return node.items.map(item)
  }
}

export function word<const W extends string>(words: readonly W[]): Read<W> {
  return (node) => {
    const { text, place } = expectText(node, words.join(' or '))
    if ((words as readonly string[]).includes(text)) return text as W
    throw new PolicyError('value', place, `${JSON.stringify(text)} is not known here`, {
      expected: words.join(', '),
      suggestion: nearest(text, words),
    })
  }
}

/** Text that `read` makes something of, within bounds. */
export function quantity(
  read: (text: string) => number | undefined,
  what: string,
  bounds: { readonly min?: number; readonly max?: number } = {},
): Read<number> {
  return (node) => {
    const { text, place } = expectText(node, what)
    const value = read(text)
    if (value === undefined) throw new PolicyError('value', place, JSON.stringify(text), { expected: what })
    const { min = 0, max = Number.MAX_SAFE_INTEGER } = bounds
    if (value < min || value > max)
      throw new PolicyError('value', place, `${JSON.stringify(text)} is out of range`, {
        expected: `${what}, from ${min} to ${max}`,
      })
    return value
  }
}

export function text(what: string, longest: number): Read<string> {
  return (node) => {
    const scalar = expectText(node, what)
    if (scalar.text.length <= longest) return scalar.text
    throw new PolicyError('value', scalar.place, `${scalar.text.length} characters`, {
      expected: `${what} of at most ${longest}`,
    })
  }
}
