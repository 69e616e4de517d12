import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { ValueEncodingError } from '../../src/index.js'
import { defaultBudget } from '../../src/internal/values/budget.js'
import { encodeValue } from '../../src/internal/values/encode.js'

class Point {
  x = 1
}
const cycle: Record<string, unknown> = { a: [1] }
;(cycle.a as unknown[]).push({ back: cycle })

function refusal(value: unknown, budget = defaultBudget): ValueEncodingError {
  try {
    encodeValue(value, budget)
  } catch (error) {
    if (ValueEncodingError.isInstance(error)) return error
    throw error
  }
  throw new Error('it was encoded')
}

describe('what cannot cross', () => {
  it.each([
    ['a function', { rows: [0, 1, 2, { fn() {} }] }, 'value at $.rows[3].fn: a function cannot cross'],
    ['a symbol', [Symbol('s')], 'value at $[0]: a symbol cannot cross'],
    [
      'an instance',
      { 'a b': new Point() },
      'value at $["a b"]: an instance of Point cannot cross; send a plain object of what matters in it',
    ],
    ['an Error', new Error('x'), 'value at $: an instance of Error'],
    ['a RegExp', [/x/], 'an instance of RegExp'],
    ['a Promise', [Promise.resolve()], 'a Promise (await it first)'],
    ['a Proxy', [new Proxy({}, {})], 'a Proxy cannot cross'],
    ['a boxed number', Object(1), 'an instance of Number'],
    ['a WeakMap', new WeakMap(), 'an instance of WeakMap'],
    [
      'a Map in disguise',
      new (class Fake extends Map {
        override get [Symbol.toStringTag]() {
          return 'Fake'
        }
      })(),
      'an instance of Fake',
    ],
    ['an invalid Date', [new Date(Number.NaN)], 'value at $[0]: an invalid Date'],
    ['a lone surrogate', { a: 'x\ud800' }, 'value at $.a: a string with a lone surrogate'],
    ['a lone surrogate in a key', { '\udc00': 1 }, 'a string with a lone surrogate'],
    ['a cycle', cycle, 'value at $.a[1].back: the value contains itself'],
    ['a function in a Map', new Map([['k', () => 1]]), 'value at $.get("k"): a function'],
    ['a function in a Set', new Set([1, () => 1]), 'value at ${element 1}: a function'],
  ])('%s', (_name, value, message) => {
    const error = refusal(value)
    expect(error.code).toBe('ERR_PYISOLATE_VALUE')
    expect(error.message).toContain(message)
  })

  it('keeps the budgets', () => {
    const budget = { bytes: 100, depth: 2, items: 10 }
    expect(encodeValue([[1]], budget)).toHaveLength(3)
    expect(refusal([[[1]]], budget).message).toBe('value at $[0][0]: nested deeper than 2')
    expect(refusal(new Array(1e9), budget).message).toContain('more than 10 items')
    expect(refusal({ a: 1, b: 2, c: 3, d: 4, e: 5 }, budget).message).toContain('more than 10 items')
    expect(refusal('x'.repeat(101), budget).message).toContain('more than 100 bytes')
    expect(refusal('\u6c34'.repeat(40), budget).message).toContain('122 bytes; 100 are allowed')
    expect(refusal([new Uint8Array(60), new Float64Array(6)], budget).path).toBe('$[1]')
  })

  it('takes the same object twice when it is no cycle', () => {
    const shared = { a: 1 }
    expect(() => encodeValue([shared, shared], defaultBudget)).not.toThrow()
  })

  it('takes plain objects of any realm, and without a prototype', () => {
    expect(() =>
      encodeValue(runInNewContext('({ a: [1], b: new Map(), c: new Date(0) })'), defaultBudget),
    ).not.toThrow()
    expect(() => encodeValue(Object.assign(Object.create(null), { constructor: 1 }), defaultBudget)).not.toThrow()
  })
})
