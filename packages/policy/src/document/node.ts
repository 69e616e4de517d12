import type { Place } from '../errors/policy-error.js'

/** A piece of YAML with the place it was written at. */
export type Node = ScalarNode | SequenceNode | MappingNode

export interface ScalarNode {
  readonly kind: 'scalar'
  readonly place: Place
  readonly text: string
  /** Not in quotes: `5` and `true`, not `'5'`. */
  readonly plain: boolean
}

export interface SequenceNode {
  readonly kind: 'sequence'
  readonly place: Place
  readonly items: readonly Node[]
}

export interface MappingNode {
  readonly kind: 'mapping'
  readonly place: Place
  readonly entries: ReadonlyMap<string, Entry>
}

export interface Entry {
  readonly key: ScalarNode
  readonly value: Node
}

/** A value that was left out: `key:` and nothing behind it. */
export function isEmpty(node: Node): boolean {
  return node.kind === 'scalar' && node.plain && (node.text === '' || node.text === 'null' || node.text === '~')
}

export function describeNode(node: Node): string {
  if (node.kind === 'sequence') return 'a list'
  if (node.kind === 'mapping') return 'a mapping'
  return isEmpty(node) ? 'nothing' : JSON.stringify(node.text.length > 60 ? `${node.text.slice(0, 57)}...` : node.text)
}
