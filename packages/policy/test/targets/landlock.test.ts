import { describe, expect, it } from 'vitest'
import { compileLandlock, compilePolicy, explain, type LandlockTarget, type Operation } from '../../src/index.js'
import { randomNumbers } from '../random.js'
import { fileOperation, generatedVariables, socketOperation, somePolicy } from '../support/generate.js'

const needed = { read: ['read_file'], write: ['write_file', 'truncate'], exec: ['execute', 'read_file'] } as const

/** What a kernel with every ABI does with a file, or a TCP port: the rules that grant it, none if it is denied. */
function grants(target: LandlockTarget, operation: Operation): readonly number[] | undefined {
  if ('path' in operation && operation.kind in needed) {
    const above = target.rules.filter(({ path }) => `${operation.path}/`.startsWith(path === '/' ? '/' : `${path}/`))
    const wanted = needed[operation.kind as keyof typeof needed]
    const held = wanted.every((right) => above.some(({ access }) => access.includes(right)))
    return held ? above.flatMap(({ rules }) => rules) : undefined
  }
  if (!('port' in operation)) throw new Error(`Landlock has no say on ${operation.kind}`)
  const access = operation.kind === 'bind' ? 'bind_tcp' : 'connect_tcp'
  const found = target.ports.filter(
    ({ from, to, ...one }) => one.access === access && from <= operation.port && operation.port <= to,
  )
  return found.length > 0 ? found.flatMap(({ rules }) => rules) : undefined
}

const policy = (text: string) => compilePolicy(`version: 1\n${text}`, { file: 'p.yaml' })

describe('Landlock rules', () => {
  it('hold what explain says, but for rules that are named as inexact', () => {
    const random = randomNumbers(11)
    const seen = { same: 0, looser: 0, denied: 0 }
    for (let round = 0; round < 400; round++) {
      const one = somePolicy(random)
      const variables = generatedVariables[random(generatedVariables.length)]!
      const target = compileLandlock(one, variables)
      const looser = new Set(target.inexact.filter(({ effect }) => effect === 'looser').map(({ rule }) => rule))
      for (let tried = 0; tried < 40; tried++) {
        const operation = random(3) > 0 ? fileOperation(random) : socketOperation(random)
        if ('protocol' in operation && (operation.protocol !== 'tcp' || operation.kind === 'sendto')) continue
        const expected = explain(one, operation, variables)
        const granted = grants(target, operation)
        const told = `${JSON.stringify(operation)} ${JSON.stringify(expected)} ${JSON.stringify(target)}`
        // A ceiling: it takes nothing away from what a policy lets be done with a file that is there.
        if (expected.allowed) expect(granted, told).toBeDefined()
        if (expected.allowed === (granted !== undefined)) {
          seen[expected.allowed ? 'same' : 'denied']++
          continue
        }
        seen.looser++
        const culprits = expected.because === 'denied by a rule' ? [expected.rule!] : granted!
        expect(
          culprits.some((rule) => looser.has(rule)),
          told,
        ).toBe(true)
      }
    }
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(200)
  })

  it('are, for the parts of a policy', () => {
    const target = compileLandlock(
      policy(`fs:
  read: [/data/**, /etc/hosts, $TMP/**]
  write: [$TMP/**, /log, /data/gone/**]
  exec: [/bin/tool]
  deny: [/data/private/**, /elsewhere/**, /data/gone/x]
net:
  connect: [tcp://10.0.0.0/8:443, "tcp://0.0.0.0/0:80", "tcp://[::]/0:80-81", unix:///run/x, unix://@y]
  bind: [tcp://127.0.0.1:*]
  deny: [tcp://10.1.0.0/16:443, tcp://10.1.0.0/16:5432, udp://10.0.0.0/8:*]
`),
      { TMP: '/tmp/7' },
    )
    expect(target.rules).toEqual([
      { path: '/bin/tool', subtree: false, access: ['execute', 'read_file'], rules: [6] },
      { path: '/data', subtree: true, access: ['read_file', 'read_dir'], rules: [0] },
      expect.objectContaining({ path: '/data/gone', rules: [5] }),
      { path: '/etc/hosts', subtree: false, access: ['read_file', 'read_dir'], rules: [1] },
      { path: '/log', subtree: false, access: ['write_file', 'truncate'], rules: [4] },
      {
        path: '/tmp/7',
        subtree: true,
        access: [
          ...['write_file', 'read_file', 'read_dir', 'remove_dir', 'remove_file', 'make_dir', 'make_reg', 'make_sym'],
          ...['refer', 'truncate'],
        ],
        rules: [2, 3],
      },
    ])
    expect(target.ports).toEqual([
      { access: 'connect_tcp', from: 443, to: 443, rules: [10] },
      { access: 'connect_tcp', from: 80, to: 80, rules: [11] },
      { access: 'connect_tcp', from: 80, to: 81, rules: [12] },
      { access: 'bind_tcp', from: 0, to: 65_535, rules: [15] },
    ])
    expect(target.exact).toEqual([0, 2, 8, 11])
    expect(target.inexact.map(({ rule, effect, when, why }) => `${rule} ${effect} ${when} ${why}`)).toEqual([
      '1 looser folder of a folder it grants all that is below',
      '3 stricter always the folder itself is made, moved and removed by a right on the one it is in',
      '4 looser folder of a folder it grants all that is below',
      '4 stricter always a file is made and removed by a right on its folder',
      '5 stricter always the folder itself is made, moved and removed by a right on the one it is in',
      '6 looser folder of a folder it grants all that is below',
      '6 looser always what is executed must be readable',
      '7 looser always it is below what another rule allows',
      '9 looser always it is below what another rule allows',
      '10 looser always ports are granted for every address',
      '12 looser always ports are granted for every address',
      '13 looser always paths of sockets are not ruled on',
      '14 stricter always no abstract socket of another process is reached',
      '15 looser always ports are granted for every address',
      '16 looser always its ports are allowed for other addresses',
      '17 looser always its ports are allowed for other addresses',
      '18 looser always UDP is not ruled on',
    ])
  })

  it('leave out what a denial covers whole, and need nothing else to hold both', () => {
    const parents: Record<string, string> = {
      './base': 'version: 1\nfs: {read: [/a/**, /b]}\nnet: {connect: [tcp://*:80]}',
    }
    const child = compilePolicy(
      'version: 1\nextends: ./base\nfs: {deny: [/a/**]}\nnet: {deny: ["tcp://*:*", "tcp://[::1]:443"]}',
      { resolve: (name) => ({ file: name, text: parents[name]! }) },
    )
    const target = compileLandlock(child)
    expect(target.rules.map(({ path }) => path)).toEqual(['/b'])
    expect(target.ports).toEqual([])
    expect(target.exact).toEqual([0, 2, 3, 4, 5])
  })

  it('say what a kernel without an ABI does not rule on', () => {
    const target = compileLandlock(policy('fs: {read: [$STDLIB/**]}'), { STDLIB: '/lib/py' })
    expect(target.handled.fs).toMatchObject({ read_file: 1, refer: 2, truncate: 3, ioctl_dev: 5 })
    expect(target.handled).toMatchObject({ net: { connect_tcp: 4 }, scoped: { signal: 6 } })
    expect(target.gaps).toContainEqual({ what: 'truncation by truncate, or by O_TRUNC', ruledFrom: 3 })
    expect([target.exact, target.inexact]).toEqual([[0], []])
  })

  it('do not call a grant of procfs exact', () => {
    const target = compileLandlock(policy('fs: {read: [/**]}'))
    expect(grants(target, { kind: 'read', path: '/proc/self/mem' })).toEqual([0])
    expect(target.inexact).toEqual([{ rule: 0, effect: 'looser', when: 'always', why: 'it grants procfs, too' }])
  })
})
