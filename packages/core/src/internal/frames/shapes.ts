import type { Value } from '../../value.js'
import { malformed } from '../values/malformed-error.js'

/** Checks of what frames hold. Every word in them is the guest's, so lengths are bounded, too. */

export type Fields = Readonly<Record<string, Value>>

export function record(value: Value, what: string): Fields {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    malformed(`${what} is not a map with string keys`)
  }
  return value as Fields
}

/** An own field, so that a missing `constructor` isn't found on the prototype. */
export function field(fields: Fields, name: string): Value {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

export function text(value: Value, what: string, maxLength: number): string {
  if (typeof value !== 'string') malformed(`${what} is not a string`)
  if (value.length > maxLength) malformed(`${what} is longer than ${maxLength} characters`)
  return value
}

export function list(value: Value, what: string, maxLength: number): readonly Value[] {
  if (!Array.isArray(value)) malformed(`${what} is not an array`)
  if (value.length > maxLength) malformed(`${what} has more than ${maxLength} elements`)
  return value as readonly Value[]
}

export function integer(value: Value, what: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    malformed(`${what} is not an integer from ${min} to ${max}`)
  }
  return value
}
