import { expect, it } from 'vitest'
import { jsonOf } from '../../src/run/json-value.js'

it.each([
  [null, 'null'],
  [true, 'true'],
  [1.5, '1.5'],
  [2n ** 70n, '{"$int":"1180591620717411303424"}'],
  [Number.NaN, '{"$float":"nan"}'],
  [Number.NEGATIVE_INFINITY, '{"$float":"-inf"}'],
  [-0, '{"$float":"-0.0"}'],
  ['"\n', '"\\"\\n"'],
  [Uint8Array.of(1, 2), '{"$bytes":"AQI="}'],
  [Float64Array.of(1, Number.NaN), '{"$array":[1,{"$float":"nan"}],"type":"float64"}'],
  [BigInt64Array.of(5n), '{"$array":[5],"type":"int64"}'],
  [new Date(0), '{"$date":"1970-01-01T00:00:00.000Z"}'],
  [new Set([1]), '{"$set":[1]}'],
  [new Map([[1, [2]]]), '{"$map":[[1,[2]]]}'],
  [{ a: [1, { b: null }] }, '{"a":[1,{"b":null}]}'],
  [{ $set: 1 }, '{"$map":[["$set",1]]}'],
  [JSON.parse('{"__proto__":1}'), '{"__proto__":1}'],
])('%s as %s', (value, text) => {
  expect(jsonOf(value)).toBe(text)
  expect(() => JSON.parse(text)).not.toThrow()
})
