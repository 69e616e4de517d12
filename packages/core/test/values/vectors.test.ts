import { describe, expect, it } from 'vitest'
import { defaultBudget } from '../../src/internal/values/budget.js'
import { decodeValue } from '../../src/internal/values/decode.js'
import { encodeValue } from '../../src/internal/values/encode.js'
import { MalformedError } from '../../src/internal/values/malformed-error.js'
import { vectors } from './rfc8949-vectors.js'

const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('RFC 8949, Appendix A', () => {
  it('is whole', () => {
    expect(vectors).toHaveLength(81)
    expect(new Set(vectors.map(({ hex }) => hex)).size).toBe(81)
  })

  it.each(vectors.filter(({ refused }) => refused === undefined))('decodes $hex', ({ hex, value }) => {
    const decoded = decodeValue(fromHex(hex), defaultBudget)
    expect(decoded).toStrictEqual(value)
    if (value === 0) expect(Object.is(decoded, value)).toBe(true)
  })

  it.each(vectors.filter(({ encodes }) => encodes))('encodes $hex', ({ hex, value }) => {
    expect(toHex(encodeValue(value, defaultBudget))).toBe(hex)
  })

  it.each(vectors.filter(({ refused }) => refused !== undefined))('refuses $hex: $refused', ({ hex, refused }) => {
    const decode = () => decodeValue(fromHex(hex), defaultBudget)
    expect(decode).toThrow(MalformedError)
    expect(decode).toThrow(refused)
  })
})
