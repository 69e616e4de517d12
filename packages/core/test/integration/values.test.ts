import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Value } from '../../src/index.js'
import { everywhere, rejection, sandbox } from './support.js'

const scalar = fc.oneof(
  fc.constantFrom<Value>(
    null,
    true,
    false,
    0,
    -0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    2 ** 53,
    1e300,
  ),
  fc.maxSafeInteger(),
  fc.double(),
  fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }).filter((n) => !Number.isSafeInteger(Number(n))),
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array(),
  fc.date({ noInvalidDate: true, min: new Date('0001-01-02'), max: new Date('9999-12-30') }),
)
const value = fc.letrec((tie) => ({
  any: fc.oneof({ maxDepth: 4 }, scalar, tie('array'), tie('object'), tie('map')),
  array: fc.array(tie('any'), { maxLength: 5 }),
  object: fc.dictionary(fc.string(), tie('any'), { maxKeys: 5, noNullPrototype: true }),
  map: fc
    .uniqueArray(fc.tuple(fc.oneof(fc.integer(), fc.string()), tie('any')), { selector: ([key]) => key, maxLength: 5 })
    .filter((entries) => entries.some(([key]) => typeof key !== 'string'))
    .map((entries) => new Map(entries)),
})).any as fc.Arbitrary<Value>

describe.each(everywhere)('values in %s isolation', (isolation) => {
  it('come back as they went', async () => {
    const demo = await sandbox({ isolation })
    await demo.exec('def echo(x): return x')
    await fc.assert(
      fc.asyncProperty(value, async (sent) => {
        assert.deepStrictEqual(await demo.call('echo', [sent]), sent)
      }),
      { numRuns: 300 },
    )
  })

  it.each<[string, Value, string]>([
    ['null', null, 'None'],
    ['true', true, 'True'],
    ['an integer', 42, '42'],
    ['an integral float beyond 2^53', 2 ** 60, '1.152921504606847e+18'],
    ['-0', -0, '-0.0'],
    ['a bigint', 2n ** 70n, '1180591620717411303424'],
    ['text', 'ü水', "'ü水'"],
    ['bytes', Uint8Array.of(1, 255), "b'\\x01\\xff'"],
    ['a Buffer', Buffer.from('a'), "b'a'"],
    ['an array', [1, [2]], '[1, [2]]'],
    ['an object', { a: 1, __proto__x: 2 }, "{'a': 1, '__proto__x': 2}"],
    [
      'a Map',
      new Map<Value, Value>([
        [1, 'x'],
        [[1, 2], null],
      ]),
      "{1: 'x', (1, 2): None}",
    ],
    ['a Set', new Set([1]), '{1}'],
    [
      'a Date',
      new Date('2024-05-06T07:08:09.123Z'),
      'datetime.datetime(2024, 5, 6, 7, 8, 9, 123000, tzinfo=datetime.timezone.utc)',
    ],
    ['a Float64Array', Float64Array.of(1.5), "array('d', [1.5])"],
    ['an Int16Array', Int16Array.of(-2), "array('h', [-2])"],
  ])('%s is what a Python programmer expects', async (_name, sent, printed) => {
    const demo = await sandbox({ isolation })
    expect(await demo.call('repr', [sent])).toBe(printed)
  })

  it.each<[string, Value]>([
    ['(1, 2)', [1, 2]],
    ['{1: 2}', new Map([[1, 2]])],
    ['{"__proto__": 1}', JSON.parse('{"__proto__": 1}')],
    ['frozenset({1})', new Set([1])],
    ['bytearray(b"ab")', Uint8Array.of(97, 98)],
    ['2**53 - 1', 2 ** 53 - 1],
    ['2**53', 2n ** 53n],
    ['-(10**30)', -(10n ** 30n)],
    ['__import__("array").array("f", [1.5])', Float32Array.of(1.5)],
    ['__import__("array").array("q", [-1])', BigInt64Array.of(-1n)],
    ['memoryview(b"ab")', Uint8Array.of(97, 98)],
    ['__import__("datetime").datetime(1970, 1, 2)', new Date(86_400_000)],
  ])('%s crosses', async (expression, expected) => {
    const demo = await sandbox({ isolation })
    expect(await demo.eval(expression)).toStrictEqual(expected)
  })

  it.each([
    ['object()', /TypeError/],
    ['lambda: 1', /TypeError/],
    ['[1, {"a": print}]', /TypeError.*\['a'\]|TypeError.*\.a/],
    ['"\\ud800"', /UnicodeEncodeError|ValueError/],
  ])('%s raises in the guest', async (expression, message) => {
    const demo = await sandbox({ isolation })
    expect((await rejection(demo.eval(expression))).message).toMatch(message)
    expect((await rejection(demo.exec(`post(${expression})`))).message).toMatch(message)
    expect(await demo.eval('1')).toBe(1)
  })

  it('have a depth, an item and a size limit there, too', async () => {
    const demo = await sandbox({ isolation, limits: { depth: 4, items: 100, frame: '64KiB' } })
    expect(await demo.eval('[[[[1]]]]')).toEqual([[[[1]]]])
    expect(await rejection(demo.eval('[[[[[1]]]]]'))).toMatchObject({ type: 'RecursionError' })
    expect(await rejection(demo.eval('[0] * 100'))).toMatchObject({ type: 'OverflowError' })
    expect(await rejection(demo.eval('b"x" * 70000'))).toMatchObject({ type: 'OverflowError' })
    expect(await rejection(demo.exec('x = []\nx.append(x)\npost(x)'))).toMatchObject({ type: 'RecursionError' })
    expect(await demo.eval('1')).toBe(1)
  })

  it('may be many times larger than a ring', async () => {
    const demo = await sandbox({ isolation })
    await demo.exec('def echo(x): return x')
    const large = Uint8Array.from({ length: 5_000_000 }, (_, i) => i * 7)
    const back = await demo.call<Uint8Array>('echo', [large])
    expect(Buffer.compare(back, large)).toBe(0)
  })
})
