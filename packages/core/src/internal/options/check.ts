import { inspect } from 'node:util'
import { nearest } from '@pyisolate/interface'
import { OptionError } from '../../errors/option-error.js'

/** Checks one option, which may be `undefined`, and gives what it stands for. `at` is where it was found. */
export type Check<T> = (value: unknown, at: string) => T

export function expected(at: string, what: string, got: unknown): never {
  const shown = inspect(got, { depth: 0, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 60 })
  throw new OptionError(at, `expected ${what}, got ${shown}`)
}

/** Checks a plain options object: every key known, every value by its own check. */
export function checkOptions<T extends Record<string, unknown>>(
  value: unknown,
  at: string,
  checks: { readonly [K in keyof T]: Check<T[K]> },
): T {
  const given = value ?? {}
  if (typeof given !== 'object' || Array.isArray(given)) expected(at, 'an object of options', value)
  const known = Object.keys(checks)
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(checks, key)) continue
    const near = nearest(key, known)
    throw new OptionError(
      `${at}.${key}`,
      near === undefined ? `unknown option; known are ${known.join(', ')}` : `unknown option; did you mean ${near}?`,
    )
  }
  const checked: Record<string, unknown> = {}
  for (const key of known) checked[key] = checks[key]!((given as Record<string, unknown>)[key], `${at}.${key}`)
  return checked as T
}

/** Left out where it isn't given. */
export function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value, at) => (value === undefined ? undefined : check(value, at))
}

export function orElse<T, D>(check: Check<T>, fallback: D): Check<T | D> {
  return (value, at) => (value === undefined ? fallback : check(value, at))
}

export function oneOf<const T extends string>(...words: readonly T[]): Check<T> {
  return (value, at) => {
    if (words.includes(value as T)) return value as T
    const list = words.map((word) => `'${word}'`).join(' or ')
    const near = typeof value === 'string' ? nearest(value, words) : undefined
    if (near !== undefined && words.length > 1)
      throw new OptionError(at, `expected ${list}, got '${value}'; did you mean '${near}'?`)
    return expected(at, list, value)
  }
}

/** An integer from `min` to `max`. */
export function integer(min: number, max: number): Check<number> {
  return (value, at) => {
    if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return value as number
    return expected(at, `an integer from ${min} to ${max}`, value)
  }
}

export function listOf(what: string, accept: (item: string) => boolean): Check<readonly string[]> {
  return (value, at) => {
    if (!Array.isArray(value)) expected(at, `an array, each item ${what}`, value)
    value.forEach((item: unknown, index) => {
      if (typeof item !== 'string' || !accept(item)) expected(`${at}[${index}]`, what, item)
    })
    return Object.freeze([...(value as string[])])
  }
}

export const abortSignal: Check<AbortSignal | undefined> = (value, at) => {
  if (value === undefined || value instanceof AbortSignal) return value
  return expected(at, 'an AbortSignal', value)
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be in a name
const nameShape = /^[^\u0000-\u001f\u007f]{1,100}$/u

/** Names of sandboxes and cells: they appear in logs, so no control characters. */
export const displayName: Check<string> = (value, at) => {
  if (typeof value === 'string' && nameShape.test(value) && value.isWellFormed()) return value
  return expected(at, 'a string of 1 to 100 characters without control characters', value)
}
