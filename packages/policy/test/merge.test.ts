import { describe, expect, it } from 'vitest'
import { compilePolicy, numberedRules, PolicyError } from '../src/index.js'

/** A policy of documents, each extending what it names. The last is the one that is asked for. */
function merged(documents: Readonly<Record<string, string>>) {
  const [file, text] = Object.entries(documents).at(-1)!
  return compilePolicy(`version: 1\n${text}`, {
    file,
    resolve: (name) => ({ file: name, text: `version: 1\n${documents[name]}` }),
  })
}

describe('policies that extend others', () => {
  it('take of limits, one by one, the last that is given', () => {
    const { limits } = merged({
      './a': 'limits: {memory: 1GiB, threads: 4, cpu: 50%}',
      './b': 'extends: ./a\nlimits: {memory: 64MiB, wallTime: 5s}',
      './c': 'extends: ./b\nlimits: {cpu: 200%}',
    })
    expect(limits).toEqual({ memory: 2 ** 26, threads: 4, cpu: 2, wallTime: 5000 })
  })

  it.each([
    ['enforcement: best-effort', '', 'best-effort'],
    ['enforcement: best-effort', 'enforcement: strict', 'strict'],
    ['enforcement: strict', 'enforcement: best-effort', 'best-effort'],
    ['', '', 'strict'],
  ])('take the last enforcement: %j, then %j', (parent, own, expected) => {
    expect(merged({ './a': parent, './b': `extends: ./a\n${own}` }).enforcement).toBe(expected)
  })

  it("number their parents' rules before their own, in the order in which they are extended", () => {
    const policy = merged({
      './a': 'fs: {read: [/a]}\nsyscalls: {allow: [flock]}\ncontracts: [{name: a, on: open, assert: opens < 1}]',
      './b': 'fs: {read: [/b], deny: [/x]}\nimports: {deny: [ctypes]}',
      './c': 'extends: [./b, ./a]\nfs: {read: [/c]}\ncontracts: [{name: c, on: exec, assert: opens < 2, action: kill}]',
    })
    expect(numberedRules(policy).map(({ section, text, place }) => `${place.file} ${section} ${text}`)).toEqual([
      './b fs.read /b',
      './a fs.read /a',
      './c fs.read /c',
      './b fs.deny /x',
      './a syscalls.allow flock',
      './b imports.deny ctypes',
      './a contracts a: opens < 1',
      './c contracts c: opens < 2',
    ])
  })

  it('take a parent that two ways lead to once', () => {
    const policy = merged({
      './base': 'fs: {read: [/base]}\ncontracts: [{name: x, on: open, assert: opens < 1}]',
      './a': 'extends: ./base',
      './b': 'extends: ./base',
      './c': 'extends: [./a, ./b]',
    })
    expect(policy.sources).toEqual(['./base', './a', './b', './c'])
    expect([policy.fs.read.length, policy.contracts.length]).toEqual([1, 1])
  })

  it('name no contract as their parents do', () => {
    const twice = () =>
      merged({
        './a': 'contracts:\n  - {name: few, on: open, assert: opens < 1}',
        './b':
          'extends: ./a\ncontracts:\n  - {name: more, on: open, assert: opens < 2}\n  - {name: few, on: exec, assert: "true"}',
      })
    expect(twice).toThrow(PolicyError)
    expect(twice).toThrow(expect.objectContaining({ problem: 'duplicate-key' }))
    expect(twice).toThrow('./b:5:5: a second contract "few": expected a name of its own; the first is at ./a:3')
  })

  it('name no more paths in all contracts than the kernel has bits for', () => {
    const contracts = (letter: string, count: number) =>
      `contracts: [${Array.from({ length: count }, (_, at) => `{name: ${letter}${at}, on: open, assert: path in "/${letter}/${at}/**"}`)}]`
    expect(merged({ './a': contracts('a', 40), './b': `extends: ./a\n${contracts('b', 24)}` }).contracts).toHaveLength(
      64,
    )
    expect(() => merged({ './a': contracts('a', 40), './b': `extends: ./a\n${contracts('b', 25)}` })).toThrow(
      /^\.\/b:3:\d+: with this contract they name 65 paths: expected at most 64 in all contracts$/,
    )
  })
})
