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
      /^compute: ok: compute, 1 file rules, 0 network rules, strict, [0-9a-f]{16}\nexample: ok: example, /,
    )
  })

  it('says of each what is wrong, and where', async () => {
    const { code, out, err } = await policy('check', bad, 'comptue', 'ml')
    expect(code).toBe(1)
    expect(out).toMatch(/^ml: ok/)
    expect(err.split('\n')).toEqual([
      expect.stringContaining(`${bad}:3:3: the key "memry" is not known here: expected memory, `),
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
      'allowed, allowed by a rule: stdlib.readonly.yaml:7:7\n',
    ],
    [['compute', 'import', 'ctypes'], 1, 'denied, denied by a rule: compute.yaml:11:7\n'],
    [['compute', 'import', 'json'], 0, 'allowed, nothing restricts it\n'],
    [
      ['web_scraper', 'connect', 'tcp://example.org:443', '--address', '93.184.216.34'],
      0,
      'allowed, allowed by a rule: web_scraper.yaml:14:7\n',
    ],
    [
      ['web_scraper', 'connect', 'tcp://example.org:443', '--address', '::1'],
      1,
      'denied, denied by a rule: public_internet.yaml:23:7\n',
    ],
    [['web_scraper', 'connect', 'tcp://[fe80::1]:443'], 1, 'denied, denied by a rule: public_internet.yaml:32:7\n'],
    [
      ['example', 'connect', 'unix:///run/postgresql/.s.PGSQL.5432'],
      0,
      'allowed, allowed by a rule: example.yaml:30:7\n',
    ],
    [['example', 'resolve', 'a.cdn.example.org'], 0, 'allowed, allowed by a rule: example.yaml:40:7\n'],
  ])('%j', async (argv, code, out) => {
    expect(await policy('explain', ...argv)).toEqual({ code, out, err: '' })
  })

  it('answers in JSON', async () => {
    const { out } = await policy('explain', 'compute', 'read', '/etc/passwd', '--json')
    expect(JSON.parse(out)).toEqual({ allowed: false, because: 'no rule allows it' })
  })
})

describe('policy compile', () => {
  it('prints the representation', async () => {
    const { code, out } = await policy('compile', 'compute')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ schema: 1, name: 'compute', limits: { memory: 2 ** 28, cpu: 1 } })
  })
})

describe('policy, used wrongly', () => {
  it.each<[string[], RegExp]>([
    [[], /needs check, explain or compile/],
    [['chekc', 'x'], /needs check, explain or compile/],
    [['check'], /needs a FILE/],
    [['explain', 'compute', 'read'], /needs FILE OPERATION SUBJECT/],
    [['explain', 'compute', 'reed', '/x'], /no operation "reed"/],
    [['explain', 'compute', 'read', 'x'], /absolute path/],
    [['explain', 'compute', 'read', '/a/../b'], /absolute path/],
    [['explain', 'compute', 'connect', 'example.org'], /one peer/],
    [['explain', 'compute', 'connect', 'tcp://example.org:1'], /--address must say/],
    [['compile'], /needs one FILE/],
    [['check', '--target', 'x'], /Unknown option/],
  ])('%j', async (argv, message) => {
    const { code, out, err } = await policy(...argv)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(message)
  })
})
