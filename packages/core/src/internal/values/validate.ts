import { Buffer, isUtf8 } from 'node:buffer'
import type { Budget } from './budget.js'
import { HeadReader, Major } from './head.js'
import { malformed } from './malformed-error.js'
import { Tag, typedArrayTags } from './tags.js'

/** A container whose content is being read. */
interface Open {
  /** Items still to come; for a map, keys and values. */
  left: number
  /** Of a map: its keys so far, as bytes; not those of text, which the decoder compares. */
  keys: Set<string> | undefined
  /** Where this container starts, if it is itself a key (a tuple or a frozenset is), else -1. */
  keyStart: number
}

export interface Validated {
  /** Whether some map has a key that is no string, so that it can't become a plain object. */
  readonly otherKeys: boolean
}

/**
 * Proves that bytes hold exactly one well-formed value within the budget, before anything is built from
 * them. Iterative: what the sender nests doesn't grow our stack.
 * @throws MalformedError
 */
export function validate(bytes: Uint8Array, budget: Budget): Validated {
  if (bytes.length > budget.bytes) malformed(`a value of ${bytes.length} bytes; ${budget.bytes} are allowed`)
  const head = new HeadReader(bytes)
  const stack: Open[] = []
  let items = 0
  let otherKeys = false
  let insideKey = false

  for (;;) {
    const top = stack.at(-1)
    const isKey = top?.keys !== undefined && top.left % 2 === 0
    const start = head.position
    if (++items > budget.items) malformed(`more than ${budget.items} items`)
    if (top !== undefined) top.left -= 1

    const opened = readItem(head, bytes)
    const isOtherKey = isKey && bytes[start]! >> 5 !== Major.text
    if (isOtherKey) otherKeys = true
    if (opened === undefined) {
      if (isOtherKey) addKey(top, bytes, start, head.position)
    } else {
      // Every item is a byte at least: a count that can't be true fails before anything is set aside for it.
      if (opened.left > head.remaining) malformed('the value ends early', start)
      if (stack.length >= budget.depth) malformed(`nested deeper than ${budget.depth}`, start)
      // Python has no such key; without it, each byte belongs to one key at most and is copied once.
      if (opened.keys !== undefined && (isKey || insideKey)) malformed('a map inside a key', start)
      if (isKey) {
        opened.keyStart = start
        insideKey = true
      }
      stack.push(opened)
    }
    for (let done = stack.at(-1); done?.left === 0; done = stack.at(-1)) {
      stack.pop()
      if (done.keyStart < 0) continue
      addKey(stack.at(-1)!, bytes, done.keyStart, head.position)
      insideKey = false
    }
    if (stack.length === 0) break
  }
  if (head.remaining > 0) malformed('bytes after the value', head.position)
  return { otherKeys }
}

/** Latin-1 is the cheapest exact copy of bytes that a `Set` can compare. */
function addKey(map: Open, bytes: Uint8Array, from: number, to: number): void {
  const key = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1')
  if (map.keys!.has(key)) malformed('a key twice', from)
  map.keys!.add(key)
}

/** Reads one item's head, and its content unless it is a container; that is returned instead. */
function readItem(head: HeadReader, bytes: Uint8Array): Open | undefined {
  const start = head.position
  head.read()
  switch (head.major) {
    case Major.uint:
    case Major.negint:
      return undefined
    case Major.bytes:
      head.skip(head.argument)
      return undefined
    case Major.text: {
      const from = head.position
      head.skip(head.argument)
      if (!isText(bytes, from, head.position)) malformed('text that is not UTF-8', start)
      return undefined
    }
    case Major.array:
      return { left: head.argument, keys: undefined, keyStart: -1 }
    case Major.map:
      return { left: head.argument * 2, keys: new Set(), keyStart: -1 }
    case Major.tag:
      return readTagged(head, start)
    default:
      // false, true, null, undefined, and floats of two, four and eight bytes
      if (head.info < 20 || head.info === 24) malformed('an unknown simple value', start)
      return undefined
  }
}

/** Most text is short and ASCII: looking at it here is cheaper than asking elsewhere. */
function isText(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from
  if (to - from <= 32) while (at < to && bytes[at]! < 0x80) at += 1
  return at === to || isUtf8(bytes.subarray(at, to))
}

function readTagged(head: HeadReader, start: number): Open | undefined {
  const tag = head.argument
  head.read()
  const { major, info, argument } = head
  if (tag === Tag.set && major === Major.array) return { left: argument, keys: undefined, keyStart: -1 }
  if (tag === Tag.date && (major === Major.uint || major === Major.negint || (major === Major.simple && info >= 25))) {
    return undefined
  }
  if (major === Major.bytes) {
    const isBignum = tag === Tag.positiveBignum || tag === Tag.negativeBignum
    const element = isBignum ? 1 : typedArrayTags.get(tag)?.BYTES_PER_ELEMENT
    if (element !== undefined && argument % element === 0) {
      head.skip(argument)
      return undefined
    }
  }
  return malformed(`tag ${tag} with a content it can't have, or a tag that is not in use,`, start)
}
