import { describe, expect, it } from 'vitest'
import {
  compileBrokerTable,
  compilePolicy,
  explain,
  loadPolicy,
  noRule,
  numberedRules,
  type Operation,
  PolicyTargetError,
  templateNames,
} from '../../src/index.js'
import { FUZZ_MS, fuzz } from '../random.js'
import { decideByTable } from '../support/decide-by-table.js'
import { generatedVariables, someOperation, somePolicy } from '../support/generate.js'

describe('the broker table', () => {
  it('decides as explain does, by the same rule, for generated policies and operations', {
    timeout: FUZZ_MS + 60_000,
  }, () => {
    const seen = { allowed: 0, denied: 0, unruled: 0, never: 0 }
    fuzz((random) => {
      const policy = somePolicy(random)
      const variables = generatedVariables[random(generatedVariables.length)]!
      const table = compileBrokerTable(policy, { variables })
      for (let tried = 0; tried < 50; tried++) {
        const operation = someOperation(random)
        if (operation.kind === 'import') continue
        const expected = explain(policy, operation, variables)
        const { allowed, rule } = decideByTable(table, operation)
        if (allowed !== expected.allowed || rule !== (expected.rule ?? noRule))
          expect([allowed, rule], JSON.stringify([operation, variables, numberedRules(policy)])).toEqual(expected)
        if (expected.because === 'never allowed') seen.never++
        else if (expected.rule === undefined) seen.unruled++
        else seen[expected.allowed ? 'allowed' : 'denied']++
      }
    }, 100)
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(10)
  })

  it.each(templateNames())('holds the template %s, each rule findable by its number', (name) => {
    const policy = loadPolicy(name)
    const table = compileBrokerTable(policy, { variables: { STDLIB: '/lib/py', TMP: '/tmp/x' } })
    const operation: Operation = { kind: 'read', path: '/lib/py/os.py' }
    const { allowed, rule } = decideByTable(table, operation)
    expect(allowed).toBe(true)
    expect(numberedRules(policy)[rule]).toMatchObject({ number: rule, section: 'fs.read', text: '$STDLIB/**' })
  })

  it('is, byte for byte', () => {
    const policy = compilePolicy('version: 1\nfs: {read: [/b/**], deny: [/, /b]}\nnet: {bind: [udp://10.0.0.0/8:53]}')
    const table = Buffer.from(compileBrokerTable(policy, { views: [{ guest: '/b', host: '/c' }], logOnly: true }))
    const words = (from: number, to: number) => table.subarray(from, to).toString('hex')
    expect(words(0, 12)).toBe('5059425401000100ac000000') // PYBT, version 1, log only, 172 bytes
    const counted = ['0300000040000000', '0100000070000000', '0000000098000000', '0000000098000000', '0100000098000000']
    expect(words(12, 64)).toBe(`${counted.join('')}a80000000400000000000000`)
    const [file, net, view] = [0x40, 0x70, 0x98]
    const text = (at: number) =>
      table.toString('utf8', table.readUInt32LE(at), table.readUInt32LE(at) + table.readUInt16LE(at + 4))
    // /, then /b: by path, then by rule
    expect(
      [0, 16, 32].map((at) => [
        text(file! + at),
        table[file! + at + 6],
        table[file! + at + 7],
        table.readUInt32LE(file! + at + 8),
      ]),
    ).toEqual([
      ['', 7, 2, 1],
      ['/b', 1, 1, 0],
      ['/b', 7, 2, 2],
    ])
    expect(table.subarray(net, net! + 28).toString('hex')).toBe(`020011040800000035003500${'0a000000'.padEnd(32, '0')}`)
    expect(table.readUInt32LE(net! + 36)).toBe(3)
    expect([text(view!), text(view! + 8)]).toEqual(['/b', '/c'])
    expect(table.toString('utf8', 0xa8)).toBe('/b/c')
  })

  it('has the same bytes for the same rules, whatever the order of keys, views and variables', () => {
    const one = compilePolicy(
      'version: 1\nname: x\nfs: {read: [/a/**, $TMP], deny: [/a/b]}\nnet: {dns: [a.org], bind: [tcp://*:80]}',
    )
    const other = compilePolicy(
      'net:\n  bind:\n    - tcp://*:80-80\n  dns: ["A.org."]\nfs:\n  deny: ["/a/b"]\n  read:\n    - /a/**\n    - $TMP\nversion: 1\n',
      { file: 'other.yaml' },
    )
    const views = [
      { guest: '/b', host: '/1' },
      { guest: '/a', host: '/2' },
    ]
    expect(other.digest).toBe(one.digest)
    expect(compileBrokerTable(other, { variables: { STDLIB: '/s', TMP: '/t' }, views })).toEqual(
      compileBrokerTable(one, { variables: { TMP: '/t', STDLIB: '/s' }, views: views.toReversed() }),
    )
  })

  it.each([
    [{ variables: { TMP: 'tmp' } }, /\$TMP: "tmp" is not absolute/],
    [{ variables: { TMP: '/a/../b' } }, /\.\. in a path/],
    [{ variables: { STDLIB: '/proc/self/root/lib' } }, /is in procfs/],
    [{ views: [{ guest: '/a/', host: '/b' }] }, /a view: an empty segment/],
    [
      {
        views: [
          { guest: '/a', host: '/b' },
          { guest: '/a', host: '/c' },
        ],
      },
      /two views of \/a/,
    ],
  ])('refuses %j', (options, message) => {
    const policy = loadPolicy('compute')
    expect(() => compileBrokerTable(policy, options)).toThrow(PolicyTargetError)
    expect(() => compileBrokerTable(policy, options)).toThrow(message)
  })
})

describe('numbered rules', () => {
  it('are every rule in the one order, each at its number', () => {
    const policy = compilePolicy(`version: 1
contracts: [{name: few, on: open, assert: opens < 5}, {name: told, on: open, assert: opens < 3, action: log}]
imports: {deny: [ctypes], allow: [json]}
syscalls: {deny: [pause], allow: [flock]}
net: {dns: ['*.b.org'], deny: ["tcp://[::1]:*"], sendto: ["udp://10.0.0.0/8:53"], bind: [unix://@x], connect: [tcp://b.org:80-90, unix:///run/**]}
fs: {deny: [/a/x], exec: [/b], write: [/a/**], read: [/**, $TMP]}
`)
    const rules = numberedRules(policy)
    expect(rules.map(({ number, section, text, deny }) => `${number} ${section} ${text}${deny ? ' !' : ''}`)).toEqual([
      '0 fs.read /**',
      '1 fs.read $TMP',
      '2 fs.write /a/**',
      '3 fs.exec /b',
      '4 fs.deny /a/x !',
      '5 net.connect tcp://b.org:80-90',
      '6 net.connect unix:///run/**',
      '7 net.bind unix://@x',
      '8 net.sendto udp://10.0.0.0/8:53',
      '9 net.deny tcp://[::1]:* !',
      '10 net.dns *.b.org',
      '11 syscalls.allow flock',
      '12 syscalls.deny pause !',
      '13 imports.allow json',
      '14 imports.deny ctypes !',
      '15 contracts few: opens < 5 !',
      '16 contracts told: opens < 3',
    ])
    expect(rules[4]!.place.line).toBe(6)
  })
})
