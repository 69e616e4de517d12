import { describe, expect, it } from 'vitest'
import { compilePolicy, explain, loadPolicy, type Operation } from '../src/index.js'

const policy = compilePolicy(
  `version: 1
fs:
  read:
    - /data/**
    - /etc/hosts
    - $TMP/**
  deny:
    - /data/private/**
net:
  connect:
    - tcp://api.example.org:443
    - tcp://*.cdn.example.org:80-90
    - tcp://10.0.0.0/8:5432
    - tcp://[fd00::]/8:*
    - unix:///run/app.sock
    - unix://@bus
  deny:
    - tcp://10.9.0.0/16:*
  dns:
    - '*.example.org'
imports:
  deny:
    - os.path
`,
  { file: 'p.yaml' },
)

const tcp = (address: string, port: number, name?: string): Operation => ({
  kind: 'connect',
  protocol: 'tcp',
  address,
  port,
  ...(name !== undefined && { name }),
})

describe('explain', () => {
  it.each<[string, Operation, boolean, number?]>([
    ['below a folder', { kind: 'read', path: '/data/a/b' }, true, 4],
    ['the folder itself', { kind: 'read', path: '/data' }, true, 4],
    ['its namesake', { kind: 'read', path: '/database' }, false],
    ['a file', { kind: 'read', path: '/etc/hosts' }, true, 5],
    ['below a file', { kind: 'read', path: '/etc/hosts/x' }, false],
    ['reading is not writing', { kind: 'write', path: '/data/a' }, false],
    ['a denial inside', { kind: 'read', path: '/data/private/key' }, false, 8],
    ['a variable', { kind: 'read', path: '/scratch/7/x' }, true, 6],
    ['a name', tcp('198.51.100.7', 443, 'API.example.org'), true, 11],
    ['an address without its name', tcp('198.51.100.7', 443), false],
    ['another port', tcp('198.51.100.7', 80, 'api.example.org'), false],
    ['a wildcard', tcp('198.51.100.7', 85, 'a.b.cdn.example.org'), true, 12],
    ['not the domain itself', tcp('198.51.100.7', 85, 'cdn.example.org'), false],
    ['a suffix that is no label', tcp('198.51.100.7', 85, 'evilcdn.example.org'), false],
    ['a network', tcp('10.1.2.3', 5432), true, 13],
    ['a network, mapped into IPv6', tcp('::ffff:10.1.2.3', 5432), true, 13],
    ['a denied part of it', tcp('10.9.2.3', 5432), false, 18],
    ['a denied part of it, mapped into IPv6', tcp('::ffff:a09:203', 5432), false, 18],
    ['a denied address behind an allowed name', tcp('10.9.0.1', 443, 'api.example.org'), false, 18],
    ['IPv6', tcp('fd12::1', 1), true, 14],
    ['UDP is not TCP', { kind: 'connect', protocol: 'udp', address: '10.1.2.3', port: 5432 }, false],
    ['to bind is not to connect', { kind: 'bind', protocol: 'tcp', address: '10.1.2.3', port: 5432 }, false],
    ['a socket', { kind: 'connect', protocol: 'unix', path: '/run/app.sock' }, true, 15],
    ['another one', { kind: 'connect', protocol: 'unix', path: '/run/app.sock2' }, false],
    ['an abstract socket', { kind: 'connect', protocol: 'unix', abstract: 'bus' }, true, 16],
    ['a path is no abstract name', { kind: 'connect', protocol: 'unix', path: 'bus' }, false],
    ['a host name', { kind: 'resolve', name: 'www.example.org' }, true, 20],
    ['a host name with an empty label', { kind: 'resolve', name: '.example.org' }, false],
    ['another host name', { kind: 'resolve', name: 'example.com' }, false],
    ['a module', { kind: 'import', module: 'json' }, true],
    ['a denied module', { kind: 'import', module: 'os.path' }, false, 23],
    ['what is below it', { kind: 'import', module: 'os.path.x' }, false, 23],
    ['what is above it', { kind: 'import', module: 'os' }, true],
  ])('%s', (_title, operation, allowed, line) => {
    const answer = explain(policy, operation, { TMP: '/scratch/7' })
    expect([answer.allowed, answer.place?.line]).toEqual([allowed, line])
  })

  it('gives the number of the rule that decides', () => {
    expect(explain(policy, { kind: 'read', path: '/data/private/key' }).rule).toBe(3)
    expect(explain(policy, { kind: 'resolve', name: 'www.example.org.' })).toMatchObject({ allowed: true, rule: 11 })
    expect(explain(policy, { kind: 'read', path: '/none' })).toMatchObject({ allowed: false, rule: undefined })
  })

  it.each(['/proc', '/proc/self/root/etc/passwd', '/proc/1/mem'])('never allows %s', (path) => {
    const all = compilePolicy(
      'version: 1\nfs: {read: [/**], write: [/**], exec: [/**]}\nnet: {connect: [unix:///run/**]}',
    )
    const never = { allowed: false, rule: undefined, place: undefined, because: 'never allowed' }
    for (const kind of ['read', 'write', 'exec'] as const) expect(explain(all, { kind, path })).toEqual(never)
    for (const kind of ['connect', 'bind', 'sendto'] as const)
      expect(explain(all, { kind, protocol: 'unix', path })).toEqual(never)
    expect(explain(all, { kind: 'read', path: '/process' }).allowed).toBe(true)
  })

  it.each<[string, string, boolean]>([
    ['bind: ["tcp://127.0.0.1:*"]', 'allowed where every port is', true],
    ['bind: ["tcp://127.0.0.1:1-65535"]', 'however that is written', true],
    ['bind: ["tcp://127.0.0.1:1-65534"]', 'not where one is missing', false],
    ['bind: ["tcp://127.0.0.1:*"], deny: ["tcp://127.0.0.0/8:22"]', 'nor where one is denied', false],
    ['bind: ["tcp://127.0.0.1:*"], deny: ["udp://127.0.0.0/8:22"]', 'but for another protocol', true],
  ])('lets the kernel choose a port under net: {%s}: %s', (net, _title, allowed) => {
    const one = compilePolicy(`version: 1\nnet: {${net}}`)
    expect(explain(one, { kind: 'bind', protocol: 'tcp', address: '127.0.0.1', port: 0 }).allowed).toBe(allowed)
  })

  it('takes the root folder for a variable', () => {
    const one = compilePolicy('version: 1\nfs: {read: [$TMP/a], write: [$TMP]}')
    expect(explain(one, { kind: 'read', path: '/a' }, { TMP: '/' }).allowed).toBe(true)
    expect(explain(one, { kind: 'write', path: '/' }, { TMP: '/' }).allowed).toBe(true)
  })

  it('fits nothing with a variable that is not given', () => {
    expect(explain(policy, { kind: 'read', path: '/x' }).allowed).toBe(false)
  })
})

describe('policies that extend others', () => {
  it('add rules, and can take no denial away', () => {
    const texts: Record<string, string> = {
      './base':
        'version: 1\nfs: {read: [/a/**], deny: [/a/x]}\nlimits: {memory: 64MiB, threads: 2}\nenforcement: best-effort',
    }
    const child = compilePolicy('version: 1\nname: child\nextends: ./base\nfs: {read: [/b]}\nlimits: {memory: 1GiB}', {
      resolve: (name) => ({ file: name, text: texts[name]! }),
    })
    expect(explain(child, { kind: 'read', path: '/a/y' }).allowed).toBe(true)
    expect(explain(child, { kind: 'read', path: '/b' }).allowed).toBe(true)
    expect(explain(child, { kind: 'read', path: '/a/x' })).toMatchObject({
      allowed: false,
      place: { file: './base', line: 2 },
    })
    expect(child).toMatchObject({ name: 'child', enforcement: 'best-effort', limits: { memory: 2 ** 30, threads: 2 } })
    expect(child.sources).toEqual(['./base', '<policy>'])
  })

  it('have the same digest for the same demands, however they are written', () => {
    const one = compilePolicy('version: 1\nname: a\nfs:\n  read:\n    - /a\n    - /b\nlimits: {memory: 1MiB}')
    const other = compilePolicy('{version: 1, limits: {memory: 1048576}, fs: {read: ["/b", "/a", "/b"]}}', {
      file: 'x',
    })
    const third = compilePolicy('version: 1\nfs: {read: [/a], write: [/b]}\nlimits: {memory: 1MiB}')
    expect(other.digest).toBe(one.digest)
    expect(third.digest).not.toBe(one.digest)
  })
})

describe('templates', () => {
  const library = { STDLIB: '/usr/lib/python3.13t', TMP: '/tmp/x' }

  it.each(['stdlib.readonly', 'compute', 'ml', 'web_scraper', 'data_pipeline', 'example'])('%s', (name) => {
    const loaded = loadPolicy(name)
    expect(loaded.name).toBe(name)
    expect(explain(loaded, { kind: 'read', path: '/usr/lib/python3.13t/json/__init__.py' }, library).allowed).toBe(true)
    expect(explain(loaded, { kind: 'read', path: '/etc/passwd' }, library).allowed).toBe(false)
    expect(explain(loaded, { kind: 'write', path: '/usr/lib/python3.13t/os.py' }, library).allowed).toBe(false)
    expect(explain(loaded, { kind: 'exec', path: '/bin/sh' }, library).allowed).toBe(false)
  })

  it('web_scraper reaches the public internet and nothing inside, whatever name leads there', () => {
    const scraper = loadPolicy('web_scraper')
    expect(explain(scraper, tcp('93.184.216.34', 443, 'example.org')).allowed).toBe(true)
    expect(explain(scraper, tcp('2606:2800:220:1::1', 80, 'example.org')).allowed).toBe(true)
    expect(explain(scraper, tcp('93.184.216.34', 22, 'example.org')).allowed).toBe(false)
    const inside = ['127.0.0.1', '10.0.0.1', '172.31.255.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0']
    const inside6 = ['::1', '::', '::ffff:127.0.0.1', 'fe80::1', 'fd00::1', '64:ff9b::7f00:1', '2002:7f00:1::']
    for (const address of [...inside, ...inside6]) {
      expect(explain(scraper, tcp(address, 443, 'rebound.example.org')), address).toMatchObject({
        allowed: false,
        because: 'denied by a rule',
      })
      // UDP as well, should somebody allow some of it.
      expect(explain(scraper, { kind: 'sendto', protocol: 'udp', address, port: 53 }).because).toBe('denied by a rule')
    }
  })
})
