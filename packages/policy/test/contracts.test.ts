import { describe, expect, it } from 'vitest'
import { compilePolicy, holds, PolicyError, type Values } from '../src/index.js'
import { randomNumbers } from './random.js'

const contract = (on: string, assert: string) =>
  compilePolicy(`version: 1\ncontracts:\n  - {name: c, on: ${on}, assert: ${JSON.stringify(assert)}}`).contracts[0]!

const values: Values = {
  path: '/data/a',
  writes: false,
  'dst.addr': '::ffff:10.1.2.3',
  'dst.port': 443n,
  size: 100n,
  opens: 7n,
  connects: 2n,
  sends: 0n,
  bytes_sent: 3_000n,
  bytes_received: 0n,
  elapsed: 2_500n,
}

describe('a condition', () => {
  it.each<[string, string, boolean]>([
    ['open', 'opens <= 7', true],
    ['open', 'opens < 7', false],
    ['open', 'opens == 7 and not writes', true],
    ['open', 'writes or path in "/data/**"', true],
    ['open', "path in '/data'", false],
    ['open', 'path == "/data/a"', true],
    ['open', 'path != "/data/a"', false],
    ['open', 'path in "/dat/**"', false],
    ['open', 'not writes == true', true],
    ['open', 'true', true],
    ['connect', 'dst.port == 443', true],
    ['connect', 'dst.addr in "10.0.0.0/8"', true],
    ['connect', 'dst.addr == "10.1.2.3"', true],
    ['connect', 'dst.addr in "fd00::/8"', false],
    ['sendto', 'bytes_sent <= 3kB', true],
    ['sendto', 'bytes_sent > 3000', false],
    ['sendto', 'bytes_sent + size * 2 == 3200', true],
    ['sendto', 'elapsed >= 2s and elapsed < 3s', true],
    ['sendto', 'bytes_sent / 1kB == 3', true],
    ['sendto', 'elapsed / 1s * 1kB >= 2kB', true],
    ['sendto', 'opens - 8 > 1000', true], // unsigned: it wraps
    ['sendto', 'opens / sends == 0', true],
    ['sendto', 'opens % sends == 7', true],
    ['sendto', '1 + 2 * 3 == 7 and (1 + 2) * 3 == 9', true],
    ['sendto', 'false and false or true', true],
    ['sendto', 'false and (false or true)', false],
  ])('%s: %s is %s', (on, assert, expected) => {
    expect(holds(contract(on, assert).assert, values)).toBe(expected)
  })
})

describe('a condition that means nothing', () => {
  it.each<[string, string, RegExp, number?]>([
    ['open', 'opens', /a condition, got count/, 0],
    ['open', 'opens <', /a name, a number or \(, got the end/, 7],
    ['open', 'opnes < 1', /opnes is not known at this hook.*did you mean opens/, 0],
    ['open', 'dst.port == 1', /dst\.port is not known at this hook/, 0],
    ['open', 'path < "/a"', /path has no order/, 5],
    ['open', 'path in "a"', /no absolute path/, 5],
    ['open', 'path == "/a/**"', /use in/, 5],
    ['open', 'path in "$TMP/**"', /no absolute path/, 5],
    ['connect', 'dst.addr in "10.0.0.1/8"', /no address or network/, 9],
    ['connect', 'dst.addr == "10.0.0.0/8"', /no address/, 9],
    ['open', 'opens in "/a"', /in needs a path or an address/, 6],
    ['open', 'elapsed > 5', /time can't be compared with count/, 8],
    ['open', 'elapsed > bytes_sent', /time can't be compared with bytes/, 8],
    ['open', 'bytes_sent > opens', /bytes can't be compared with count/, 11],
    ['open', 'bytes_sent * bytes_sent > 1', /bytes \* bytes means nothing/, 11],
    ['open', 'opens and writes', /and needs conditions/, 6],
    ['open', 'not opens', /not needs a condition/, 0],
    ['open', 'writes > true', /can't be compared/, 7],
    ['open', 'opens < 1 2', /an operator or the end, got "2"/, 10],
    ['open', 'opens < 1.5', /no whole number/, 8],
    ['open', 'opens < 5 weeks', /no whole number, size or time/, 8],
    ['open', 'opens = 1', /"=" means nothing here/, 6],
    ['open', `${'('.repeat(20)}true${')'.repeat(20)}`, /nested deeper than 16/, 16],
    ['open', Array(70).fill('writes').join(' or '), /more than 64/],
    ['open', `${'not '.repeat(10_000)}writes`, /nested deeper/],
    ['open', 'constructor', /not known at this hook/],
  ])('%s: %s', (on, assert, message, at) => {
    try {
      contract(on, assert)
    } catch (error) {
      expect(error).toBeInstanceOf(PolicyError)
      expect((error as PolicyError).problem).toBe('expression')
      expect((error as PolicyError).message).toMatch(message)
      const start = `  - {name: c, on: ${on}, assert: "`.length + 1
      if (at !== undefined && !assert.includes('"'))
        expect((error as PolicyError).place).toMatchObject({ line: 3, column: start + at })
      return
    }
    throw new Error('it was taken')
  })

  it.each<[string, string]>([
    ['version: 1\ncontracts: [{name: a, on: open}]', 'missing-key'],
    ['version: 1\ncontracts: [{name: a, on: opne, assert: "true"}]', 'value'],
    ['version: 1\ncontracts: [{name: a, on: open, assert: "true", action: drop}]', 'value'],
    [
      'version: 1\ncontracts: [{name: a, on: open, assert: "true"}, {name: a, on: exec, assert: "true"}]',
      'duplicate-key',
    ],
    ['version: 1\ncontracts: {}', 'value'],
  ])('%s', (text, problem) => {
    expect(() => compilePolicy(text)).toThrow(expect.objectContaining({ problem }))
  })
})

describe('whatever is thrown at the parser', () => {
  it('is a condition that can be evaluated, or a PolicyError', () => {
    const pieces = [
      'opens',
      'bytes_sent',
      'elapsed',
      'writes',
      'path',
      'true',
      '1',
      '5s',
      '3kB',
      '"/a/**"',
      'and',
      'or',
      'not',
      'in',
      '==',
      '!=',
      '<',
      '>=',
      '+',
      '-',
      '*',
      '/',
      '%',
      '(',
      ')',
    ]
    const random = randomNumbers(7)
    const until = performance.now() + 1000
    let taken = 0
    while (performance.now() < until) {
      const text = Array.from({ length: 1 + random(7) }, () => pieces[random(pieces.length)]).join(' ')
      let parsed: ReturnType<typeof contract>
      try {
        parsed = contract('open', text)
      } catch (error) {
        if (PolicyError.isInstance(error)) continue
        throw new Error(`for ${text}`, { cause: error })
      }
      expect(typeof holds(parsed.assert, values)).toBe('boolean')
      taken++
    }
    expect(taken).toBeGreaterThan(10)
  })
})
