import { types } from 'node:util'
import { ValueEncodingError } from '../../errors/value-encoding-error.js'
import type { Budget } from './budget.js'
import { type Path, printPath } from './path.js'
import { typedArrayTags } from './tags.js'

/** What crosses as bytes or as a typed array; a class of the same kind that isn't known here (Float16Array) doesn't. */
const byteTypes: Record<string, true> = {
  __proto__: null as never,
  ArrayBuffer: true,
  SharedArrayBuffer: true,
  DataView: true,
}
for (const { name } of [Uint8ClampedArray, ...typedArrayTags.values()]) byteTypes[name] = true

export const loneSurrogate = 'a string with a lone surrogate cannot be encoded as UTF-8'

/** The state of one walk. */
interface Walk {
  readonly budget: Budget
  /** What the path in an error starts with. */
  readonly root: string
  items: number
  /** A lower bound of the encoded size. */
  bytes: number
}

/**
 * Proves that a value can cross: of known types, without a cycle, within the budget. Getters of plain
 * objects run here and again on encoding.
 * @throws ValueEncodingError
 */
export function inspectValue(value: unknown, budget: Budget, root = '$'): void {
  visit(value, { budget, root, items: 0, bytes: 0 }, undefined, 0)
}

function visit(value: unknown, walk: Walk, path: Path | undefined, depth: number): void {
  walk.items += 1
  if (walk.items > walk.budget.items) refuse(walk, path, `more than ${walk.budget.items} items in all`)
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) refuse(walk, path, loneSurrogate)
      charge(walk, path, value.length)
      break
    case 'number':
      charge(walk, path, Number.isSafeInteger(value) ? 1 : 9)
      break
    case 'bigint':
    case 'boolean':
    case 'undefined':
      charge(walk, path, 1)
      break
    case 'object':
      if (value === null) charge(walk, path, 1)
      else visitObject(value, walk, path, depth)
      break
    default:
      refuse(walk, path, `a ${typeof value} cannot cross`)
  }
}

function visitObject(value: object, walk: Walk, path: Path | undefined, depth: number): void {
  if (types.isProxy(value)) refuse(walk, path, 'a Proxy cannot cross')
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  if (tag in byteTypes && (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value))) {
    charge(walk, path, value.byteLength)
    return
  }
  if (types.isDate(value) && tag === 'Date') {
    if (Number.isNaN(value.getTime())) refuse(walk, path, 'an invalid Date cannot cross')
    charge(walk, path, 2)
    return
  }
  enter(value, walk, path, depth)
  if (Array.isArray(value)) {
    if (value.length > walk.budget.items - walk.items) refuse(walk, path, `more than ${walk.budget.items} items in all`)
    const inside: Path = { parent: path, container: value, kind: 'index', step: 0 }
    for (let i = 0; i < value.length; i++) {
      inside.step = i
      visit(value[i], walk, inside, depth + 1)
    }
  } else if (types.isSet(value) && tag === 'Set') {
    const inside: Path = { parent: path, container: value, kind: 'element', step: -1 }
    for (const element of value) {
      inside.step = (inside.step as number) + 1
      visit(element, walk, inside, depth + 1)
    }
  } else if (types.isMap(value) && tag === 'Map') {
    for (const [key, item] of value) {
      visit(key, walk, { parent: path, container: value, kind: 'mapKey', step: key }, depth + 1)
      visit(item, walk, { parent: path, container: value, kind: 'mapValue', step: key }, depth + 1)
    }
  } else {
    if (tag !== 'Object' || !isPlain(value))
      refuse(walk, path, `${describe(value)} cannot cross; send a plain object of what matters in it`)
    const inside: Path = { parent: path, container: value, kind: 'property', step: '' }
    for (const key of Object.keys(value)) {
      inside.step = key
      visit(key, walk, inside, depth + 1)
      visit((value as Record<string, unknown>)[key], walk, inside, depth + 1)
    }
  }
}

/** Counts a container, and refuses one that is among its own ancestors. */
function enter(value: object, walk: Walk, path: Path | undefined, depth: number): void {
  charge(walk, path, 1)
  for (let at = path; at !== undefined; at = at.parent) {
    if (at.container === value) refuse(walk, path, 'the value contains itself')
  }
  if (depth >= walk.budget.depth) refuse(walk, path, `nested deeper than ${walk.budget.depth}`)
}

function charge(walk: Walk, path: Path | undefined, bytes: number): void {
  walk.bytes += bytes
  if (walk.bytes > walk.budget.bytes) refuse(walk, path, `the whole takes more than ${walk.budget.bytes} bytes`)
}

/** Of `Object` (of any realm) or without a prototype; not an instance of a class, whose meaning would be lost. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return true
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf')
}

function describe(value: object): string {
  if (types.isPromise(value)) return 'a Promise (await it first)'
  const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name
  return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'an object that is not plain'
}

function refuse(walk: Walk, path: Path | undefined, reason: string): never {
  throw new ValueEncodingError(printPath(path, walk.root), reason)
}
