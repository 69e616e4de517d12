import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Contract, compileContracts, compilePolicy, holds, type Values } from '@pyisolate/policy'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { FUZZ_MS, fuzz, type Random } from '../../../policy/test/random.js'
import { createSupervisor, UnenforceableError } from '../../src/index.js'
import { everywhere, folder, policy, ruled } from './support.js'

const addonFile = fileURLToPath(new URL('../../../native/build/Release/pyisolate_native.node', import.meta.url))
const addon = createRequire(import.meta.url)(addonFile) as {
  runContracts(program: Uint8Array, task: Uint8Array): [boolean, [number, number][]]
}

const numbers = ['opens', 'connects', 'sends']
const ofPaths = ['open', 'unlink']
const paths = ['/a/**', '/a/b', '/', '/**', '/a/b/c/**']
const networks = ['10.0.0.0/8', '127.0.0.1', '0.0.0.0/0', 'fd00::/8', '::1', '2001:db8::/33', '::/0', '10.1.2.2/31']

/** Text of a condition, every operator and kind of operand among them. */
function condition(random: Random, hook: string, depth: number): string {
  const inner = () => condition(random, hook, depth - 1)
  const number = () => arithmetic(random, hook, depth - 1)
  switch (random(depth > 0 ? 9 : 4)) {
    case 0:
      if (hook === 'open') return 'writes'
      return ofPaths.includes(hook) ? 'path != "/a/b/c"' : `dst.addr in "${networks[random(networks.length)]}"`
    case 1:
      return ofPaths.includes(hook) ? `path in "${paths[random(paths.length)]}"` : `dst.addr == "10.1.2.3"`
    case 2:
      return ['true', 'false'][random(2)]!
    case 3:
      return measured(random, hook)
    case 4:
      return `not (${inner()})`
    case 5:
      return `(${inner()}) and (${inner()})`
    case 6:
      return `(${inner()}) or (${inner()})`
    default:
      return `(${number()}) ${['<', '<=', '>', '>=', '==', '!='][random(6)]} (${number()})`
  }
}

/** What has a unit. */
function measured(random: Random, hook: string): string {
  const comparison = ['<', '<=', '>', '>=', '==', '!='][random(6)]!
  if (random(2) === 0) return `elapsed ${comparison} ${random(5)}s`
  const bytes = hook === 'sendto' ? ['bytes_sent', 'bytes_received', 'size'] : ['bytes_sent', 'bytes_received']
  const some = () => (random(3) === 0 ? `${random(70)}kB` : bytes[random(bytes.length)]!)
  return `${some()} ${['+', '-'][random(2)]} ${some()} ${comparison} ${some()} * ${random(4)}`
}

function arithmetic(random: Random, hook: string, depth: number): string {
  const usable = ofPaths.includes(hook) ? numbers : [...numbers, 'dst.port']
  if (depth <= 0 || random(3) === 0) return random(2) === 0 ? String(random(5)) : usable[random(usable.length)]!
  const op = ['+', '-', '*', '/', '%'][random(5)]!
  return `(${arithmetic(random, hook, depth - 1)}) ${op} (${arithmetic(random, hook, depth - 1)})`
}

const addresses = ['10.1.2.3', '10.1.2.2', '127.0.0.1', '::1', 'fd00::7', '2001:db8:7fff::1', '2001:db8:8000::1']

/** The same facts as the evaluator takes them, and as a program finds them. */
function facts(random: Random, hook: string, contracts: readonly Contract[]): { values: Values; task: Uint8Array } {
  const task = Buffer.alloc(128)
  const number = () => [0n, 1n, BigInt(random(6)), BigInt(random(70_000)), 2n ** 64n - 1n][random(5)]!
  const at = { opens: 24, connects: 32, sends: 40, bytes_sent: 48, bytes_received: 56, elapsed: 64 } as const
  const values: Record<string, bigint | boolean | string> = {}
  for (const [name, offset] of Object.entries(at)) {
    values[name] = name === 'elapsed' ? BigInt(random(6000)) : number()
    task.writeBigUInt64LE(values[name] as bigint, offset)
  }
  if (ofPaths.includes(hook)) {
    values.writes = random(2) === 1
    values.path = ['/', '/a', '/a/b', '/a/b/c', '/a/b/c/d', '/ab'][random(6)]!
    task.writeBigUInt64LE(values.writes ? 1n : 0n, 72)
    task.writeBigUInt64LE(pathBits(contracts, values.path), 96)
  } else {
    values['dst.port'] = BigInt(random(65_536))
    values['dst.addr'] = addresses[random(addresses.length)]!
    task.writeBigUInt64LE(values['dst.port'], 80)
    values.size = number()
    task.writeBigUInt64LE(values.size, 88)
    const four = !values['dst.addr'].includes(':')
    if (four) Buffer.from([0xff, 0xff, ...values['dst.addr'].split('.').map(Number)]).copy(task, 114)
    else sixteen(values['dst.addr']).copy(task, 104)
    task.writeUInt32LE(four ? 4 : 6, 120)
  }
  return { values, task: new Uint8Array(task) }
}

function sixteen(address: string): Buffer {
  const [head = '', tail = ''] = address.split('::')
  const words = (text: string) => text.split(':').flatMap((word) => (word === '' ? [] : [Number.parseInt(word, 16)]))
  const [first, last] = [words(head), words(tail)]
  const all = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 255]))
}

/** By their own meaning, in the order they first appear. */
function pathBits(contracts: readonly Contract[], path: string): bigint {
  const named = [
    ...new Set(contracts.flatMap(({ source }) => [...source.matchAll(/path (?:in|!=) "([^"]*)"/g)].map((m) => m[1]!))),
  ]
  return named.reduce((bits, text, bit) => {
    const above = text.endsWith('/**') ? text.slice(0, -3) : undefined
    const fits = above === undefined ? path === text : path === (above || '/') || path.startsWith(`${above}/`)
    return fits ? bits | (1n << BigInt(bit)) : bits
  }, 0n)
}

describe('a compiled contract', () => {
  it.each(['open', 'unlink', 'connect', 'bind', 'sendto'])(
    'of %s says what the language means, whatever it says and whatever happens',
    {
      timeout: FUZZ_MS + 60_000,
    },
    (hook) => {
      let [compared, upheld] = [0, 0]
      fuzz((random) => {
        const texts = Array.from({ length: 1 + random(3) }, () => condition(random, hook, 4))
        const actions = texts.map(() => ['deny', 'log', 'kill'][random(3)]!)
        const compiled = compilePolicy(
          JSON.stringify({
            version: '1',
            contracts: texts.map((assert, at) => ({ name: `c${at}`, on: hook, assert, action: actions[at] })),
          }),
        )
        const [program] = compileContracts(compiled)
        for (let i = 0; i < 10; i++) {
          const { values, task } = facts(random, hook, compiled.contracts)
          const expected: [number, number][] = []
          let allowed = true
          for (const [at, { assert, action }] of compiled.contracts.entries()) {
            if (holds(assert, values)) continue
            expected.push([at, ['deny', 'log', 'kill'].indexOf(action)])
            allowed = action === 'log'
            if (!allowed) break
          }
          expect(addon.runContracts(program!.instructions, task), texts.join(' | ')).toEqual([allowed, expected])
          compared++
          if (expected.length === 0) upheld++
        }
      }, 100)
      expect(compared).toBeGreaterThan(900)
      expect(upheld).toBeGreaterThan(50)
    },
  )

  it('is refused when it is too deep for a stack, at its place', () => {
    const deep = `${'1 + ('.repeat(70)}1${')'.repeat(70)} > 0`
    expect(() =>
      compileContracts(compilePolicy(`version: 1\ncontracts:\n  - {name: deep, on: open, assert: '${deep}'}`)),
    ).toThrow(expect.objectContaining({ code: 'ERR_PYISOLATE_POLICY', place: expect.objectContaining({ line: 3 }) }))
  })

  it('that is no program denies, and does nothing else', { timeout: FUZZ_MS + 20_000 }, () => {
    const [program] = compileContracts(
      compilePolicy('version: 1\ncontracts: [{name: a, on: open, assert: "opens * 3 < 5 or path in \\"/a\\""}]'),
    )
    fuzz((random) => {
      const broken = program!.instructions.slice()
      for (let i = 0; i <= random(5); i++) broken[random(broken.length)] = random(256)
      expect(addon.runContracts(broken, new Uint8Array(128))).toHaveLength(2)
    }, 100)
    expect(addon.runContracts(new Uint8Array(0), new Uint8Array(128))).toEqual([false, []])
  })
})

const supervisor = createSupervisor()
afterAll(() => supervisor.close())

describe.each(everywhere)('contracts in %s isolation', (isolation) => {
  const rules = (at: string, contracts: string) =>
    policy(`fs:\n  read: ['${at}/**']\n  write: ['${at}/**']\ncontracts:\n${contracts}`)

  function files(): string {
    const at = folder()
    mkdirSync(join(at, 'free'))
    writeFileSync(join(at, 'x'), 'X')
    writeFileSync(join(at, 'free', 'y'), 'Y')
    return at
  }

  it('deny: counted, but for a path that is free; the event names the contract and its line', async () => {
    const at = files()
    const { attempt, denied } = await ruled(supervisor, {
      isolation,
      policy: rules(at, `  - name: few-files\n    on: open\n    assert: opens <= 50 or path in "${at}/free/**"`),
    })
    const opened = `len([1 for i in range(100) if attempt("read('${at}/x')") == repr('X')])`
    const passed = Number(await attempt(opened))
    expect(passed).toBeGreaterThan(0)
    expect(passed).toBeLessThanOrEqual(50)
    expect(await attempt(`read('${at}/x')`)).toBe('PermissionError EPERM')
    expect(await attempt(`read('${at}/free/y')`)).toBe("'Y'")
    expect(await denied(({ errno }) => errno === 'EPERM')).toMatchObject({
      rule: { section: 'contracts', text: expect.stringContaining('few-files'), file: 'test.yaml', line: 8 },
    })
  })

  it('log: goes on, and says so', async () => {
    const at = files()
    const { attempt, denied } = await ruled(supervisor, {
      isolation,
      policy: rules(at, `  - {name: reads-only, on: open, assert: not writes or path in "/dev/null", action: log}`),
    })
    expect(await attempt(`write('${at}/x', 'new')`)).toBe('3')
    expect(await denied(({ object }) => object === join(at, 'x'))).toMatchObject({
      operation: 'write',
      errno: undefined,
    })
  })

  it('kill: the call is denied, and the sandbox ended for it', async () => {
    const at = files()
    const { sandbox, denied } = await ruled(supervisor, {
      isolation,
      policy: rules(at, `  - {name: no-traps, on: unlink, assert: 'not path in "${at}/free/**"', action: kill}`),
    })
    await sandbox.exec(`os.unlink('${at}/x')`)
    const end = sandbox.exec(`
try: os.unlink('${at}/free/y')
except PermissionError: pass
import time; time.sleep(10)`)
    await expect(end).rejects.toThrow()
    expect(await sandbox.closed).toMatchObject({ kind: 'policy', contract: expect.stringContaining('no-traps') })
    await denied(({ object }) => object === join(at, 'free', 'y'))
  })

  it('addresses, ports and time', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).end('hello'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as { port: number }
    const { attempt } = await ruled(supervisor, {
      isolation,
      policy: policy(`net:
  connect: ['tcp://127.0.0.0/8:*']
contracts:
  - {name: low-ports, on: connect, assert: dst.port > 1024 and dst.addr in "127.0.0.0/24"}
  - {name: soon, on: connect, assert: elapsed < 1h and connects < 3}`),
    })
    const dial = (host: string, to: number) => `socket.create_connection(('${host}', ${to}), 5).recv(5)`
    expect(await attempt(dial('127.0.0.1', port))).toBe("b'hello'")
    expect(await attempt(dial('127.0.0.1', 80))).toBe('PermissionError EPERM')
    expect(await attempt(dial('127.9.0.1', port))).toBe('PermissionError EPERM')
    expect(await attempt(dial('127.0.0.1', port))).toBe('PermissionError EPERM')
  })

  it('are replaced with the policy, and go on counting', async () => {
    const at = files()
    const most = (count: number) => rules(at, `  - {name: most, on: mkdir, assert: opens >= ${count}}`)
    const { sandbox, attempt } = await ruled(supervisor, { isolation, policy: most(0) })
    expect(await attempt(`os.mkdir('${at}/one')`)).toBe('None')
    await sandbox.reload(most(1_000_000))
    expect(await attempt(`os.mkdir('${at}/two')`)).toBe('PermissionError EPERM')
    await sandbox.reload(most(1))
    await attempt(`read('${at}/x')`)
    expect(await attempt(`os.mkdir('${at}/three')`)).toBe('None')
  })

  it('what nobody counts is refused', async () => {
    const spawn = supervisor.spawn(`uncounted ${isolation}`, {
      isolation,
      policy: rules('/x', '  - {name: bytes, on: connect, assert: bytes_sent < 1MiB}'),
    })
    const error = await spawn.catch((thrown: unknown) => thrown)
    expect(UnenforceableError.isInstance(error) && error.rules[0]?.why).toContain('bytes_sent')
  })
})
