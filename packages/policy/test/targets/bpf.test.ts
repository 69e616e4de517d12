import { describe, expect, it } from 'vitest'
import { compileBpf, compileBrokerTable, compilePolicy, PolicyTargetError, readBrokerTable } from '../../src/index.js'
import { randomNumbers } from '../random.js'
import { generatedVariables, somePolicy } from '../support/generate.js'

describe('the target for BPF maps', () => {
  it('has the records of the broker table, for generated policies', () => {
    const random = randomNumbers(5)
    let records = 0
    for (let round = 0; round < 300; round++) {
      const policy = somePolicy(random)
      const variables = generatedVariables[random(generatedVariables.length)]!
      const { contractPaths, ...target } = compileBpf(policy, variables)
      const { files, nets, unixes, names } = readBrokerTable(compileBrokerTable(policy, { variables }))
      expect(target).toEqual({ files, nets, unixes, names })
      expect(contractPaths).toEqual([])
      records += files.length + nets.length + unixes.length + names.length
    }
    expect(records).toBeGreaterThan(1000)
  })

  it('is plain data', () => {
    const policy = compilePolicy(
      'version: 1\nfs: {read: [/a/**], deny: [/]}\nnet: {bind: ["udp://[::1]:53", tcp://*.a.org:1-9]}',
    )
    const target = compileBpf(policy)
    expect(target).toEqual({
      files: [
        { path: '/', subtree: false, ops: 7, deny: true, rule: 1 },
        { path: '/a', subtree: true, ops: 1, deny: false, rule: 0 },
      ],
      nets: [
        {
          ...{ ops: 2, deny: false, rule: 2, protocol: 17, family: 6, prefix: 128, from: 53, to: 53, name: '' },
          address: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        },
        {
          ...{ ops: 2, deny: false, rule: 3, protocol: 6, family: 0, prefix: 0, from: 1, to: 9, name: '*.a.org' },
          address: new Array(16).fill(0),
        },
      ],
      unixes: [],
      names: [],
      contractPaths: [],
    })
    expect(structuredClone(target)).toEqual(target)
  })

  it('names the paths of all contracts, each once, as they first appear', () => {
    const policy = compilePolicy(`version: 1
contracts:
  - {name: a, on: open, assert: 'not path in "/b/**" or (path == "/a" and opens < 5)'}
  - {name: b, on: exec, assert: 'path in "/a/**" or path in "/b/**"'}
  - {name: c, on: connect, assert: 'dst.addr in "10.0.0.0/8"'}
  - {name: d, on: mkdir, assert: 'path in "/a" or path in "/"'}
`)
    expect(compileBpf(policy).contractPaths).toEqual([
      { path: '/b', subtree: true },
      { path: '/a', subtree: false },
      { path: '/a', subtree: true },
      { path: '/', subtree: false },
    ])
  })

  it('refuses a variable that is no normal path', () => {
    expect(() => compileBpf(compilePolicy('version: 1'), { TMP: 'tmp' })).toThrow(PolicyTargetError)
  })
})

describe('a broker table that is read', () => {
  it('is what it was made of', () => {
    const policy = compilePolicy(
      'version: 1\nnet: {connect: [unix://@x, unix:///run/**], deny: [unix:///run/y], dns: ["*"]}',
    )
    const views = [
      { guest: '/a/b', host: '/srv/x' },
      { guest: '/a', host: '/srv' },
      { guest: '/', host: '/srv/root' },
    ]
    expect(readBrokerTable(compileBrokerTable(policy, { views: views.toReversed(), logOnly: true }))).toEqual({
      logOnly: true,
      files: [],
      nets: [],
      unixes: [
        { path: 'x', subtree: false, abstract: true, ops: 1, deny: false, rule: 0 },
        { path: '/run', subtree: true, abstract: false, ops: 1, deny: false, rule: 1 },
        { path: '/run/y', subtree: false, abstract: false, ops: 7, deny: true, rule: 2 },
      ],
      names: [{ name: '*', rule: 3 }],
      views,
    })
  })

  it('names no string outside of its strings', () => {
    const table = Buffer.from(compileBrokerTable(compilePolicy('version: 1\nfs: {read: [/abc]}')))
    for (const offset of [0x40, table.length - 3, 0xffff_fff0]) {
      table.writeUInt32LE(offset, 0x40)
      expect(() => readBrokerTable(table)).toThrow(/a string from \d+ to \d+: expected from 80 to 84/)
    }
  })

  it('is read or refused, whatever its bytes', () => {
    const random = randomNumbers(99)
    const until = performance.now() + 1000
    const tried = { read: 0, refused: 0 }
    while (performance.now() < until) {
      const table = compileBrokerTable(somePolicy(random), { views: [{ guest: '/a', host: '/b' }] })
      for (let times = 0; times < 20; times++) {
        const bytes = table.slice(0, random(8) === 0 ? random(table.length) : table.length)
        // The header half of the time, or a record: a bit, or a whole word.
        for (let flips = 1 + random(4); flips > 0 && bytes.length > 0; flips--) {
          const at = random(random(2) === 0 ? Math.min(64, bytes.length) : bytes.length)
          bytes[at] = random(3) === 0 ? 255 : bytes[at]! ^ (1 << random(8))
        }
        try {
          readBrokerTable(bytes)
          tried.read++
        } catch (error) {
          if (!PolicyTargetError.isInstance(error))
            throw new Error(Buffer.from(bytes).toString('hex'), { cause: error })
          tried.refused++
        }
      }
    }
    expect(tried.read).toBeGreaterThan(50)
    expect(tried.refused).toBeGreaterThan(50)
  })
})
