import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { main } from '../../src/index.js'
import { FakeTerminal } from '../support.js'

const folder = mkdtempSync(join(tmpdir(), 'pyisolate-policy-'))
afterAll(() => rmSync(folder, { recursive: true }))
const good = join(folder, 'good.yaml')
const bad = join(folder, 'bad.yaml')
writeFileSync(good, 'version: 1\nextends: web_scraper\nname: mine\nnet:\n  connect:\n    - tcp://192.0.2.7:5432\n')
writeFileSync(bad, 'version: 1\nlimits:\n  memry: 1GiB\n')

async function policy(...argv: string[]) {
  const terminal = new FakeTerminal()
  const code = await main(['policy', ...argv], terminal)
  return { code, out: terminal.out, err: terminal.err }
}

describe('policy check', () => {
  it('takes templates and files', async () => {
    const { code, out, err } = await policy('check', 'compute', 'example')
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(
      /^compute: ok: compute, 3 file rules, 0 network rules, strict, [0-9a-f]{16}\nexample: ok: example, /,
    )
  })

  it('says of each what is wrong, and where', async () => {
    const { code, out, err } = await policy('check', bad, 'comptue', 'ml')
    expect(code).toBe(1)
    expect(out).toMatch(/^ml: ok/)
    expect(err.split('\n')).toEqual([
      expect.stringContaining(`${bad}:3:3: the key "memry" is not known here: expected memory, `),
      '  3 |   memry: 1GiB',
      '    |   ^',
      expect.stringContaining('did you mean compute?'),
      '',
    ])
    expect(err.split('\n')[0]).toContain('did you mean memory?')
  })

  it('refuses a rule that its parent denies', async () => {
    const { code, err } = await policy('check', good)
    expect(code).toBe(1)
    expect(err).toMatch(/good\.yaml:6:7: what is allowed here is denied whole at public_internet\.yaml:16/)
  })
})

describe('policy explain', () => {
  it.each<[string[], number, string]>([
    [['compute', 'read', '/etc/passwd'], 1, 'denied, no rule allows it\n'],
    [
      ['compute', 'read', '/lib/py/os.py', '--stdlib', '/lib/py'],
      0,
      'allowed, allowed by a rule: stdlib.readonly.yaml:7:7 (rule 0)\n',
    ],
    [['compute', 'import', 'ctypes'], 1, 'denied, denied by a rule: compute.yaml:11:7 (rule 6)\n'],
    [['compute', 'import', 'json'], 0, 'allowed, nothing restricts it\n'],
    [
      ['web_scraper', 'connect', 'tcp://example.org:443', '--address', '93.184.216.34'],
      0,
      'allowed, allowed by a rule: web_scraper.yaml:14:7 (rule 6)\n',
    ],
    [
      ['web_scraper', 'connect', 'tcp://example.org:443', '--address', '::1'],
      1,
      'denied, denied by a rule: public_internet.yaml:23:7 (rule 21)\n',
    ],
    [
      ['web_scraper', 'connect', 'tcp://[fe80::1]:443'],
      1,
      'denied, denied by a rule: public_internet.yaml:32:7 (rule 30)\n',
    ],
    [
      ['example', 'connect', 'unix:///run/postgresql/.s.PGSQL.5432'],
      0,
      'allowed, allowed by a rule: example.yaml:30:7 (rule 9)\n',
    ],
    [['example', 'resolve', 'a.cdn.example.org'], 0, 'allowed, allowed by a rule: example.yaml:40:7 (rule 14)\n'],
  ])('%j', async (argv, code, out) => {
    expect(await policy('explain', ...argv)).toEqual({ code, out, err: '' })
  })

  it('answers in JSON', async () => {
    const { out } = await policy('explain', 'compute', 'read', '/etc/passwd', '--json')
    expect(JSON.parse(out)).toEqual({ allowed: false, because: 'no rule allows it' })
    const denied = await policy('explain', 'compute', 'import', 'ctypes.util', '--json')
    expect(JSON.parse(denied.out)).toEqual({
      allowed: false,
      because: 'denied by a rule',
      place: { file: 'compute.yaml', line: 11, column: 7 },
      rule: 6,
    })
  })

  it.each<[string[], number, string]>([
    [['example', 'syscall', 'flock'], 0, /allowed by a rule: example\.yaml:\d+:7/.source],
    [['compute', 'syscall', 'read'], 0, 'allowed, allowed by the profile\n'],
    [['compute', 'syscall', 'ptrace'], 1, 'denied, never allowed\n'],
    [['compute', 'syscall', 'flock'], 1, 'denied, no rule allows it\n'],
    [['compute', 'syscall', 'connect'], 0, 'allowed, left to the rules on files and the network\n'],
    [['compute', 'read', '/proc/self/mem'], 1, 'denied, never allowed\n'],
    [['example', 'bind', 'tcp://127.0.0.1:0'], 1, 'denied, no rule allows it\n'],
    [['compute', 'read', '/a/*'], 1, 'denied, no rule allows it\n'],
  ])('%j', async (argv, code, out) => {
    const answer = await policy('explain', ...argv)
    expect([answer.code, answer.err]).toEqual([code, ''])
    expect(answer.out).toMatch(new RegExp(out))
  })
})

describe('policy compile', () => {
  it('prints the representation', async () => {
    const { code, out } = await policy('compile', 'compute')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ schema: 1, name: 'compute', limits: { memory: 2 ** 28, cpu: 1 } })
    expect((await policy('compile', 'compute', '--target', 'ir')).out).toBe(out)
  })

  const compiled = async (target: string, ...argv: string[]) => {
    const { code, out, err } = await policy(
      'compile',
      target === 'limits' ? 'compute' : 'example',
      '--target',
      target,
      ...argv,
    )
    expect([code, err]).toEqual([0, ''])
    return JSON.parse(out)
  }

  it('shows the broker table record by record, with what rule numbers mean', async () => {
    const table = await compiled('broker', '--stdlib', '/lib/py')
    expect(table).toMatchObject({ logOnly: false, views: [], sha256: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(table.bytes).toBeGreaterThan(64)
    // $TMP is not given: its rules are left out.
    expect(table.files.map(({ path }: { path: string }) => path)).toEqual([
      '/dev/null',
      '/dev/null',
      '/etc/ssl/certs/ca-certificates.crt',
      '/lib/py',
      '/srv/models',
      '/srv/models/private',
    ])
    expect(table.files[5]).toEqual({
      rule: 6,
      decides: 'deny',
      ops: ['read', 'write', 'exec'],
      path: '/srv/models/private',
      subtree: true,
    })
    expect(table.nets).toContainEqual({
      rule: 10,
      decides: 'allow',
      ops: ['bind'],
      protocol: 'tcp',
      network: '127.0.0.1/32',
      ports: '8000-8080',
    })
    expect(table.nets).toContainEqual(expect.objectContaining({ name: '*.cdn.example.org', ports: '80-81' }))
    expect(table.rules[10]).toMatchObject({ number: 10, section: 'net.bind', text: 'tcp://127.0.0.1:8000-8080' })
    expect(table.rules[10].place).toMatch(/^example\.yaml:\d+:7$/)
  })

  it('shows what BPF maps get, with addresses as they are written', async () => {
    const { out } = await policy('compile', 'public_internet', '--target', 'bpf')
    const { nets, files } = JSON.parse(out)
    expect(files.map(({ path }: { path: string }) => path)).toEqual(['/dev/null', '/dev/null'])
    expect(nets).toContainEqual(expect.objectContaining({ network: '64:ff9b::/96', decides: 'deny', ports: '1-65535' }))
    expect(nets).toContainEqual(expect.objectContaining({ network: '::/127' }))
    expect(nets).toContainEqual(expect.objectContaining({ network: '198.18.0.0/15' }))
  })

  it('shows the other targets', async () => {
    expect(await compiled('seccomp')).toEqual({ profile: 'default', allow: ['flock'], deny: [] })
    expect(await compiled('limits')).toMatchObject({ cgroup2: { 'cpu.max': '100000 100000' } })
    expect(await compiled('audit')).toMatchObject({ policy: 'example', imports: { deny: [{ name: 'ctypes' }] } })
    const landlock = await compiled('landlock', '--tmp', '/tmp/7', '--stdlib', '/lib/py')
    expect(landlock.rules.map(({ path }: { path: string }) => path)).toContain('/tmp/7')
    expect(landlock.inexact).toContainEqual(expect.objectContaining({ rule: 6, effect: 'looser' }))
  })
})

describe('policy, used wrongly', () => {
  it.each<[string[], RegExp]>([
    [[], /needs check, explain, compile, learn, reload or sign/],
    [['chekc', 'x'], /needs check, explain, compile, learn, reload or sign/],
    [['check'], /needs a FILE/],
    [['explain', 'compute', 'read'], /needs FILE OPERATION SUBJECT/],
    [['explain', 'compute', 'reed', '/x'], /no operation "reed"/],
    [['explain', 'compute', 'read', 'x'], /"x" is not absolute: expected an absolute, normal path/],
    [['explain', 'compute', 'read', '/a/../b'], /\.\. in a path/],
    [['explain', 'compute', 'read', '/a//b'], /an empty segment/],
    [['explain', 'compute', 'connect', 'unix:///a/../b'], /\.\. in a path/],
    [['explain', 'compute', 'connect', 'tcp://192.0.2.1:70000'], /port 70000: expected at most 65535/],
    [['explain', 'compute', 'syscall', 'opnat'], /no system call "opnat".*did you mean openat\?/],
    [['explain', 'compute', 'raed', '/x'], /did you mean read\?/],
    [['explain', 'compute', 'read', '/x', '--tmp', 'x'], /--tmp: "x" is not absolute/],
    [
      ['compile', 'compute', '--target', 'brokr'],
      /no target "brokr": expected one of ir, broker, .*did you mean broker\?/,
    ],
    [['compile', 'compute', '--target', 'bpf', '--stdlib', '/proc/1'], /\$STDLIB: \/proc\/1 is in procfs/],
    [['explain', 'compute', 'connect', 'example.org'], /one peer/],
    [['explain', 'compute', 'connect', 'tcp://example.org:1'], /--address must say/],
    [['compile'], /needs one FILE/],
    [['check', '--targets', 'x'], /Unknown option/],
  ])('%j', async (argv, message) => {
    const { code, out, err } = await policy(...argv)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(message)
  })
})
