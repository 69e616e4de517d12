import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Value } from '../../src/index.js'
import { defaultBudget } from '../../src/internal/values/budget.js'
import { decodeValue } from '../../src/internal/values/decode.js'
import { encodeValue } from '../../src/internal/values/encode.js'

const trip = (value: unknown): Value => decodeValue(encodeValue(value, defaultBudget), defaultBudget)
const bigInt = fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }).filter((n) => !Number.isSafeInteger(Number(n)))

const scalar = fc.oneof(
  fc.constantFrom(null, true, false, 0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER, 2 ** 53),
  fc.maxSafeInteger(),
  fc.double(),
  bigInt,
  fc.string({ unit: 'binary' }),
  fc.uint8Array(),
  fc.float32Array(),
  fc.int16Array(),
  fc.bigUint64Array(),
  // the years that Python knows
  fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') }),
)
const key = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.boolean(), fc.constant(null))
const value = fc.letrec((tie) => ({
  any: fc.oneof({ maxDepth: 4, withCrossShrink: true }, scalar, tie('array'), tie('object'), tie('map'), tie('set')),
  array: fc.array(tie('any'), { maxLength: 5 }),
  object: fc.dictionary(fc.string({ unit: 'binary' }), tie('any'), { maxKeys: 5, noNullPrototype: true }),
  map: fc
    .uniqueArray(fc.tuple(key, tie('any')), { selector: ([k]) => k, maxLength: 5 })
    .filter((entries) => entries.some(([k]) => typeof k !== 'string'))
    .map((entries) => new Map(entries)),
  // Elements that are equal to Python can't be sent apart.
  set: fc
    .uniqueArray(scalar, { selector: (item) => encodeValue(item, defaultBudget).toString(), maxLength: 5 })
    .map((items) => new Set(items)),
})).any

describe('round trips', () => {
  it('keeps every value as it was', () => {
    fc.assert(
      fc.property(value, (sent) => {
        // Node's own comparison: it also knows sets whose elements are equal but not the same.
        assert.deepStrictEqual(trip(sent), sent)
      }),
      { numRuns: 2_000 },
    )
  })

  it('keeps the order of keys', () => {
    expect(Object.keys(trip({ b: 1, a: 2, aa: 3, A: 4 }) as object)).toEqual(['b', 'a', 'aa', 'A'])
    expect([
      ...(
        trip(
          new Map<Value, Value>([
            ['z', 1],
            [1, 2],
            ['a', 3],
          ]),
        ) as Map<Value, Value>
      ).keys(),
    ]).toEqual(['z', 1, 'a'])
  })

  it('makes __proto__ a key like any other', () => {
    const sent = JSON.parse('{"__proto__": {"polluted": true}, "a": 1}')
    for (const wrap of [(v: unknown) => v, (v: unknown) => new Map([[1, v]])]) {
      const got = trip(wrap(sent))
      const object = (got instanceof Map ? got.get(1) : got) as Record<string, unknown>
      expect(Object.getPrototypeOf(object)).toBe(Object.prototype)
      expect(Object.getOwnPropertyDescriptor(object, '__proto__')?.value).toEqual({ polluted: true })
      expect('polluted' in object).toBe(false)
    }
  })

  it('mixes maps, sets and objects', () => {
    const sent = new Map<unknown, unknown>([
      [1, { a: new Set([1, 'x']) }],
      [[1, 2], new Map([['only', 'strings']])],
    ])
    const got = trip(sent) as Map<unknown, unknown>
    expect(got.get(1)).toStrictEqual({ a: new Set([1, 'x']) })
    expect([...got.entries()][1]).toStrictEqual([[1, 2], { only: 'strings' }])
  })

  it('turns what Python has no other word for into bytes, null and int', () => {
    expect(trip(Buffer.from('ab'))).toStrictEqual(new Uint8Array([97, 98]))
    expect(trip(new Uint8Array([9, 1, 2, 9]).buffer.slice(1, 3))).toStrictEqual(new Uint8Array([1, 2]))
    expect(trip(new DataView(new Uint8Array([9, 1]).buffer, 1))).toStrictEqual(new Uint8Array([1]))
    expect(trip(new Uint8ClampedArray([300]))).toStrictEqual(new Uint8Array([255]))
    expect(trip([undefined, ...new Array(1), 1])).toStrictEqual([null, null, 1])
    expect(trip(5n)).toBe(5)
  })

  it('owns its memory', () => {
    const source = new Uint8Array([1, 2, 3])
    const bytes = encodeValue(source, defaultBudget)
    source[0] = 9
    const got = decodeValue(bytes, defaultBudget) as Uint8Array
    bytes.fill(0)
    expect(got).toStrictEqual(new Uint8Array([1, 2, 3]))
  })

  it('cuts a datetime to milliseconds, towards the past', () => {
    const at = (seconds: number) => {
      const bytes = Buffer.alloc(10)
      bytes.writeUInt16BE(0xc1fb)
      bytes.writeDoubleBE(seconds, 2)
      return (decodeValue(new Uint8Array(bytes), defaultBudget) as Date).getTime()
    }
    expect(at(1.001)).toBe(1001)
    expect(at(0.999999)).toBe(999)
    expect(at(1_700_000_000.999999)).toBe(1_700_000_000_999)
    expect(at(-0.0005)).toBe(-1)
  })
})
