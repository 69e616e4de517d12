import { describe, expect, it } from 'vitest'
import {
  type CompiledPolicy,
  compileAudit,
  compileBpf,
  compileBrokerTable,
  compileLandlock,
  compileLimits,
  compilePolicy,
  compileSyscalls,
  numberedRules,
  PolicyError,
  readBrokerTable,
} from '../../src/index.js'
import { FUZZ_MS, fuzz, randomNumbers } from '../random.js'
import { generatedVariables, policyText, somePolicy } from '../support/generate.js'

function everyTarget(policy: CompiledPolicy, variables = {}) {
  return {
    broker: Buffer.from(compileBrokerTable(policy, { variables })).toString('hex'),
    syscalls: compileSyscalls(policy),
    landlock: compileLandlock(policy, variables),
    limits: compileLimits(policy),
    audit: compileAudit(policy),
    bpf: compileBpf(policy, variables),
  }
}

/** The same data, the keys of every object in another order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, turned(item)]),
  )
}

describe('every target', () => {
  it('is the same for the same rules, whatever the order of keys', () => {
    const random = randomNumbers(3)
    for (let round = 0; round < 200; round++) {
      const policy = somePolicy(random)
      const variables = generatedVariables[3]!
      const one = JSON.stringify(everyTarget(policy, variables))
      expect(JSON.stringify(everyTarget(turned(policy) as CompiledPolicy, turned(variables) as object))).toBe(one)
      // As it would come out of a store.
      expect(JSON.stringify(everyTarget(JSON.parse(JSON.stringify(policy)), variables))).toBe(one)
    }
  })

  it('names no rule that there is not', () => {
    const random = randomNumbers(8)
    let named = 0
    for (let round = 0; round < 100; round++) {
      const policy = somePolicy(random)
      const count = numberedRules(policy).length
      const { landlock, audit, bpf } = everyTarget(policy)
      const numbers = [
        ...landlock.exact,
        ...[...landlock.inexact, ...bpf.files, ...bpf.nets, ...bpf.unixes, ...bpf.names].map(({ rule }) => rule),
        ...[...audit.imports.allow, ...audit.imports.deny].map(({ rule }) => rule),
        ...[...landlock.rules, ...landlock.ports].flatMap(({ rules }) => rules),
      ]
      for (const number of numbers) expect(number).toBeLessThan(count)
      named += numbers.length
    }
    expect(named).toBeGreaterThan(1000)
  })

  it('is compiled of whatever is a policy, and whatever is not is a PolicyError', { timeout: FUZZ_MS + 60_000 }, () => {
    const pieces = [
      '/',
      '**',
      '*',
      '.',
      '..',
      ':',
      '@',
      '[',
      ']',
      '::1',
      '0',
      '65535',
      '-',
      'tcp://',
      'unix://',
      'ü',
      '\\ud800',
    ]
    type Random = (below: number) => number
    const odd = (random: Random) => Array.from({ length: random(6) }, () => pieces[random(pieces.length)]).join('')
    const contract = (random: Random) => {
      const asserts = ['opens < 5', `path in "${odd(random)}"`, 'not path in "/a/**"', `path == "/${odd(random)}"`]
      return `contracts: [{name: c, on: open, assert: '${asserts[random(asserts.length)]}'}]\n`
    }
    const tried = { compiled: 0, refused: 0 }
    fuzz((random) => {
      const text = policyText(random)
        // One item in some is something that nobody would write.
        .replace(/"[^"]*"/g, (item) => (random(25) === 0 ? `"${odd(random)}"` : item))
        .concat(
          random(3) === 0 ? contract(random) : '',
          random(3) === 0 ? `limits: {cpu: ${random(200)}%, threads: ${random(9)}}\n` : '',
        )
      try {
        const { broker } = everyTarget(compilePolicy(text), generatedVariables[random(generatedVariables.length)])
        readBrokerTable(Buffer.from(broker, 'hex'))
        tried.compiled++
      } catch (error) {
        if (!PolicyError.isInstance(error)) throw new Error(`for ${text}`, { cause: error })
        tried.refused++
      }
    }, 300)
    expect(Math.min(tried.compiled, tried.refused), JSON.stringify(tried)).toBeGreaterThan(20)
  })
})
