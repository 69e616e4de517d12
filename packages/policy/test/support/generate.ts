import { type CompiledPolicy, compilePolicy, type Operation, PolicyError } from '../../src/index.js'

type Random = (below: number) => number

const pick = <T>(random: Random, all: readonly T[]): T => all[random(all.length)]!
const some = <T>(random: Random, most: number, make: () => T): T[] => Array.from({ length: random(most + 1) }, make)

/** Few names, so that rules overlap; some that only differ in what a careless comparison overlooks. */
const segments = ['a', 'b', 'ab', 'a b', 'ü', 'proc', '*x', 'A']
const folders = ['$TMP', '$STDLIB', '/tmp/7', '/lib/py', '']
const hosts = ['example.org', 'api.example.org', 'a.api.example.org', 'xexample.org', 'example.com']
const networks4 = ['0.0.0.0/0', '10.0.0.0/8', '10.1.0.0/16', '10.1.2.0/23', '10.1.2.3', '127.0.0.1', '10.1.2.2/31']
const networks6 = ['[::]/0', '[fd00::]/8', '[fd00:1::]/33', '[fd00:1::5]', '[::1]', '[::]/127']
const addresses = [
  '10.1.2.3',
  '10.1.3.2',
  '10.2.0.1',
  '127.0.0.1',
  '198.51.100.1',
  '::ffff:10.1.2.3',
  '::ffff:7f00:1',
  '::1',
  '::',
  'fd00:1::5',
  'fd00:1:8000::1',
  'fdff::1',
  '2001:db8::1',
]
const portWords = ['*', '80', '443', '80-90', '1-1024', '1-65535', '65535', '1']
const portNumbers = [0, 1, 80, 85, 90, 91, 443, 1024, 1025, 65_535]

function path(random: Random, most = 3): string {
  const below = some(random, most, () => `/${pick(random, segments)}`).join('')
  return `${pick(random, folders)}${below}` || '/'
}

function pathRule(random: Random): string {
  const text = path(random).replaceAll('/*x', '/x')
  return random(2) === 0 ? text : text === '/' ? '/**' : `${text}/**`
}

function target(random: Random): string {
  const kind = random(8)
  if (kind === 0) return `unix://${`${path(random, 2)}/s`.replace(/^\$\w+/, '/run').replaceAll('*', '')}`
  if (kind === 1) return `unix:///run/${pick(random, segments.slice(0, 3))}/**`
  if (kind === 2) return `unix://@${pick(random, segments)}`
  const wildcard = pick(random, ['', '*.'])
  const host = pick(random, [
    pick(random, networks4),
    pick(random, networks6),
    `${wildcard}${pick(random, hosts)}`,
    pick(random, ['*', pick(random, networks4)]),
  ])
  return `${pick(random, ['tcp', 'udp'])}://${host}:${pick(random, portWords)}`
}

function hostName(random: Random): string {
  return pick(random, ['*', `*.${pick(random, hosts)}`, pick(random, hosts)])
}

const modules = ['os', 'os.path', 'osx', 'json', 'json.decoder', 'ctypes']
/** Of the profile, beside it, and neither. */
const systemCalls = ['read', 'openat', 'mincore', 'getitimer', 'sched_setaffinity', 'flock', 'inotify_init1', 'sync']

/** A policy's text, of rules that overlap and are overlapped. It may well contradict itself. */
export function policyText(random: Random): string {
  const lists = (names: readonly string[], most: number, make: (random: Random) => string) =>
    names.map((name) => `  ${name}: ${JSON.stringify(some(random, most, () => make(random)))}\n`).join('')
  return [
    'version: 1\n',
    `fs:\n${lists(['read', 'write', 'exec', 'deny'], 5, pathRule)}`,
    `net:\n${lists(['connect', 'bind', 'sendto', 'deny'], 4, target)}${lists(['dns'], 3, hostName)}`,
    `syscalls:\n${lists(['allow', 'deny'], 3, () => pick(random, systemCalls))}`,
    `imports:\n${lists(['allow', 'deny'], 2, () => pick(random, modules))}`,
  ].join('')
}

/** One that doesn't. */
export function somePolicy(random: Random): CompiledPolicy {
  for (;;) {
    try {
      return compilePolicy(policyText(random), { file: 'generated.yaml' })
    } catch (error) {
      if (!PolicyError.isInstance(error)) throw error
    }
  }
}

export const generatedVariables = [
  {},
  { TMP: '/tmp/7' },
  { TMP: '/tmp/7', STDLIB: '/lib/py' },
  { TMP: '/', STDLIB: '/a' },
]

export function fileOperation(random: Random): Operation {
  const kind = pick(random, ['read', 'write', 'exec'] as const)
  return {
    kind,
    path: path(random, 4)
      .replace(/^\$TMP/, '/tmp/7')
      .replace(/^\$STDLIB/, '/a'),
  }
}

export function socketOperation(random: Random): Operation {
  const kind = pick(random, ['connect', 'bind', 'sendto'] as const)
  const which = random(8)
  if (which === 0) return { kind, protocol: 'unix', abstract: pick(random, segments) }
  if (which === 1) return { kind, protocol: 'unix', path: `/run/${pick(random, segments)}/s` }
  if (which === 2) return { kind, protocol: 'unix', path: path(random, 3).replace(/^\$\w+/, '/run') }
  const name = pick(random, [undefined, hostName(random).replace('*', 'w').toUpperCase(), pick(random, hosts)])
  return {
    kind,
    protocol: pick(random, ['tcp', 'udp'] as const),
    address: pick(random, addresses),
    port: pick(random, portNumbers),
    ...(name !== undefined && { name }),
  }
}

export function nameOperation(random: Random): Operation {
  return pick<Operation>(random, [
    { kind: 'resolve', name: pick(random, [`x.${pick(random, hosts)}`, pick(random, hosts).toUpperCase(), 'org.']) },
    { kind: 'import', module: pick(random, modules) },
  ])
}

export function someOperation(random: Random): Operation {
  return pick(random, [fileOperation, fileOperation, socketOperation, socketOperation, nameOperation])(random)
}
