import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultBudget } from '../../src/internal/values/budget.js'
import { decodeValue } from '../../src/internal/values/decode.js'
import { MalformedError } from '../../src/internal/values/malformed-error.js'

const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))

describe('malformed bytes', () => {
  // RFC 8949, Appendix F, and what this mapping refuses beyond it.
  it.each([
    ['nothing', ''],
    ['an integer that ends early', '18'],
    ['an 8-byte integer that ends early', '1b00000000000000'],
    ['a string shorter than its length', '41'],
    ['text longer than memory', '7bffffffffffffffff'],
    ['a byte string longer than memory', '5b7fffffffffffffff'],
    ['an array without its elements', '81'],
    ['an array of 2^64-1 elements', '9bffffffffffffffff'],
    ['a map of 2^63 pairs', 'bb8000000000000000'],
    ['a map without a value', 'a100'],
    ['a tag without content', 'c1'],
    ['a reserved length', '1c'],
    ['a lone break', 'ff'],
    ['a break in an array', '81ff'],
    ['two values', '0000'],
    ['an integer in a longer form', '1817'],
    ['a length in a longer form', '590001ff'],
    ['a one-byte simple value below 32', 'f818'],
    ['a tag that is not in use', 'd9d9f700'],
    ['a date of text', 'c16161'],
    ['a date that is NaN', 'c1fb7ff8000000000000'],
    ['a date of a bool', 'c1f5'],
    ['a date beyond the end of time', 'c11b7fffffffffffffff'],
    ['a bignum of text', 'c26161'],
    ['a set of text', 'd901026161'],
    ['a set in a map', 'd90102a0'],
    ['half an element of a typed array', 'd84541ff'],
    ['a tag on a tag', 'c1c100'],
    ['text that is not UTF-8', '61ff'],
    ['a lone surrogate', '63eda080'],
    ['an overlong NUL', '62c080'],
    ['a text key twice', 'a2616101616102'],
    ['an integer key twice', 'a2010101f6'],
    ['an integer key that a float equals', 'a20101fb3ff000000000000002'],
    ['a tuple as a key twice', 'a2810101810102'],
    ['a map as a key', 'a1a001'],
    ['a map in a tuple as a key', 'a181a001'],
  ])('%s', (_name, hex) => {
    expect(() => decodeValue(fromHex(hex), defaultBudget)).toThrow(MalformedError)
  })

  it('keeps the budgets', () => {
    const budget = { bytes: 8, depth: 2, items: 4 }
    expect(decodeValue(fromHex('8181f6'), budget)).toEqual([[null]])
    expect(() => decodeValue(fromHex('818181f6'), budget)).toThrow(/deeper than 2/)
    expect(decodeValue(fromHex('83010203'), budget)).toEqual([1, 2, 3])
    expect(() => decodeValue(fromHex('8401020304'), budget)).toThrow(/more than 4 items/)
    expect(() => decodeValue(fromHex('48ffffffffffffffff'), budget)).toThrow(/9 bytes/)
  })

  it('holds its ground against a million levels', () => {
    const budget = { ...defaultBudget, depth: 512 }
    expect(() => decodeValue(new Uint8Array(1_000_000).fill(0x81), budget)).toThrow(/deeper than 512/)
    const deepest = new Uint8Array(513).fill(0x81)
    deepest[512] = 0xf6
    expect(JSON.stringify(decodeValue(deepest, budget))).toBe(`${'['.repeat(512)}null${']'.repeat(512)}`)
  })

  it('answers any bytes with a value or a MalformedError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeValue(bytes, defaultBudget)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError)
        }
      }),
      { numRuns: 20_000 },
    )
  })
})
