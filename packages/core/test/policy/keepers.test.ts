// Every kind of rule and limit with whoever keeps it here: named by `enforcement`, what is allowed works, what isn't
// fails as it should, and an event or the outcome says why. What nobody keeps refuses the spawn. `npm test` prints the list.
import { createSocket } from 'node:dgram'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import type { CompiledPolicy, Section } from '@pyisolate/policy'
import { keeps } from '@pyisolate/test-kit'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSupervisor, type Denial, type Outcome, UnenforceableError } from '../../src/index.js'
import { everywhere, folder, policy, type Ruled, ruled, type Where } from './support.js'

const supervisor = createSupervisor()
afterAll(() => supervisor.close())

interface Given {
  readonly at: string
  readonly tcp: number
  readonly udp: number
}

interface Kept {
  rules(given: Given): string
  /** `none`: nobody keeps it, with words of the reason. */
  readonly by: string | { readonly process: string; readonly interpreter: string }
  check?(sandbox: Ruled, given: Given): Promise<void>
}

/** A value or an exception each, as `attempt` says them. */
const answers = async ({ attempt }: Ruled, expected: Readonly<Record<string, string | RegExp>>): Promise<void> => {
  for (const [source, answer] of Object.entries(expected)) {
    const got = await attempt(source)
    if (typeof answer === 'string') expect(got, source).toBe(answer)
    else expect(got, source).toMatch(answer)
  }
}

/** An event says that a limit was reached, with the line that it is written on. */
const told = async (it: Ruled, limit: string, seen: string | undefined, toldBy: Denial['toldBy']): Promise<void> => {
  expect(await it.denied(({ operation }) => operation === 'limit')).toMatchObject({
    object: limit,
    errno: seen,
    toldBy,
    policy: 'test',
    rule: { section: `limits.${limit}`, file: 'test.yaml', line: expect.any(Number) },
  })
}

const ends = async (it: Ruled, code: string, limit: string, outcome: Partial<Outcome>, by: Denial['toldBy']) => {
  await it.sandbox.exec(code).catch(() => {})
  expect(await it.sandbox.closed).toMatchObject(outcome)
  await told(it, limit, undefined, by)
}

/** A limit that the guest lives on with: told whether or not its code catches the exception. */
const meets = async (it: Ruled, source: string, limit: string, seen: string): Promise<void> => {
  expect(await it.attempt(source)).toMatch(seen)
  await told(it, limit, seen, 'guest')
  await expect(it.sandbox.eval(source)).rejects.toThrow()
}

/** No list of a policy has it: the guest's own side tells, by the exception that it got. */
const refuses = async (it: Ruled, source: string, denial: Partial<Denial>): Promise<void> => {
  it.denials.length = 0
  await answers(it, { [source]: EPERM })
  expect(await it.denied(({ toldBy }) => toldBy === 'guest')).toMatchObject({ errno: 'EPERM', ...denial })
}

const dial = (port: number, host = '127.0.0.1') => `socket.create_connection(('${host}', ${port}), 5).recv(5)`
const send = (port: number, host: string) =>
  `socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'ping', ('${host}', ${port}))`
const EACCES = 'PermissionError EACCES'
const EPERM = 'PermissionError EPERM'
const none = (why: string): string => `none: ${why}`
const root = process.getuid?.() === 0

const kinds: Readonly<Record<Section | `limits.${keyof CompiledPolicy['limits'] & string}`, Kept>> = {
  'fs.read': {
    by: 'broker',
    rules: ({ at }) => `fs:\n  read: ['${at}/yes/**']`,
    check: async (it, { at }) => {
      await answers(it, { [`read('${at}/yes/x')`]: "'yes'", [`read('${at}/no/x')`]: EACCES })
      expect(await it.denied(({ object }) => object === `${at}/no/x`)).toMatchObject({
        operation: 'read',
        errno: 'EACCES',
        rule: undefined,
      })
    },
  },
  'fs.write': {
    by: 'broker',
    rules: ({ at }) => `fs:\n  write: ['${at}/yes/**']`,
    check: async (it, { at }) => {
      await answers(it, { [`write('${at}/yes/new')`]: '1', [`write('${at}/no/new')`]: EACCES })
      await it.denied(({ object, operation, errno }) => {
        return object === `${at}/no/new` && operation === 'write' && errno === 'EACCES'
      })
    },
  },
  'fs.exec': { by: none('never executes a program'), rules: () => 'fs:\n  exec: [/bin/true]' },
  'fs.deny': {
    by: 'broker',
    rules: ({ at }) => `fs:\n  read: ['${at}/**']\n  deny: ['${at}/no/**']`,
    check: async (it, { at }) => {
      await answers(it, { [`read('${at}/yes/x')`]: "'yes'", [`read('${at}/no/x')`]: EACCES })
      expect((await it.denied(({ object }) => object === `${at}/no/x`)).rule).toMatchObject({
        section: 'fs.deny',
        line: 6,
      })
    },
  },
  'net.connect': {
    by: 'broker',
    rules: ({ tcp }) => `net:\n  connect: ['tcp://127.0.0.1:${tcp}']`,
    check: async (it, { tcp }) => {
      await answers(it, { [dial(tcp)]: "b'hello'", [dial(tcp, '127.0.0.2')]: EACCES })
      await it.denied(({ operation, object }) => operation === 'connect' && object === `tcp://127.0.0.2:${tcp}`)
    },
  },
  'net.bind': {
    by: 'broker',
    rules: () => `net:\n  bind: ['tcp://127.0.0.1:*']`,
    check: async (it) => {
      await answers(it, {
        "socket.create_server(('127.0.0.1', 0)).getsockname()[0]": "'127.0.0.1'",
        "socket.create_server(('127.0.0.2', 0))": EACCES,
      })
      await it.denied(({ operation, object }) => operation === 'bind' && object === 'tcp://127.0.0.2:0')
    },
  },
  'net.sendto': {
    by: 'broker',
    rules: ({ udp }) => `net:\n  sendto: ['udp://127.0.0.1:${udp}']`,
    check: async (it, { udp }) => {
      await answers(it, { [send(udp, '127.0.0.1')]: '4', [send(udp, '127.0.0.2')]: EACCES })
      await it.denied(({ operation, object }) => operation === 'sendto' && object === `udp://127.0.0.2:${udp}`)
    },
  },
  'net.deny': {
    by: 'broker',
    rules: ({ tcp }) => `net:\n  connect: ['tcp://127.0.0.0/8:${tcp}']\n  deny: ['tcp://127.0.0.2:*']`,
    check: async (it, { tcp }) => {
      await answers(it, { [dial(tcp)]: "b'hello'", [dial(tcp, '127.0.0.2')]: EACCES })
      expect((await it.denied(({ operation }) => operation === 'connect')).rule).toMatchObject({ section: 'net.deny' })
    },
  },
  'net.dns': {
    by: 'resolver',
    rules: () => 'net:\n  dns: [localhost]',
    check: async (it) => {
      await answers(it, {
        "socket.gethostbyname('localhost')": /127\.0\.0\.1/,
        "socket.gethostbyname('a.b')": /gaierror/,
      })
      await it.denied(({ operation, object }) => operation === 'resolve' && object === 'a.b')
    },
  },
  'syscalls.allow': {
    by: 'seccomp',
    rules: () => 'syscalls:\n  allow: [sched_rr_get_interval]',
    check: async (it) => {
      const call = 'type(os.sched_rr_get_interval(0))'
      await answers(it, { [call]: "<class 'float'>" })
      const without = await ruled(supervisor, { policy: policy('fs: {}') })
      await refuses(without, call, { operation: 'call', object: 'sched_rr_get_interval', rule: undefined })
    },
  },
  'syscalls.deny': {
    by: 'seccomp',
    rules: () => 'syscalls:\n  deny: [sched_yield]',
    check: async (it) => {
      await answers(it, { 'os.sched_yield()': EPERM, 'type(os.getppid())': "<class 'int'>" })
      expect(await it.denied(({ operation }) => operation === 'call')).toMatchObject({
        object: 'sched_yield',
        errno: 'EPERM',
        toldBy: 'supervisor',
        rule: { section: 'syscalls.deny', text: 'sched_yield', file: 'test.yaml', line: 5 },
      })
      await answers(await ruled(supervisor, { policy: policy('fs: {}') }), { 'os.sched_yield()': 'None' })
    },
  },
  'imports.allow': {
    by: 'audit-hook',
    rules: () => 'imports:\n  allow: [decimal, errno, os, socket]',
    check: async (it) => {
      await answers(it, {
        "__import__('decimal').Decimal(1)": "Decimal('1')",
        "__import__('csv')": /^ImportError the policy test does not allow/,
      })
      const event = { object: 'csv', errno: 'ImportError', toldBy: 'guest', rule: undefined }
      expect(await it.denied(({ operation }) => operation === 'import')).toMatchObject(event)
    },
  },
  'imports.deny': {
    by: 'audit-hook',
    rules: () => 'imports:\n  deny: [ctypes]',
    check: async (it) => {
      await answers(it, {
        "__import__('json').loads('1')": '1',
        "__import__('ctypes')": /^ImportError the policy test denies/,
      })
      const rule = { section: 'imports.deny', text: 'ctypes', file: 'test.yaml', line: 5 }
      const event = { object: 'ctypes', errno: 'ImportError', toldBy: 'guest', rule }
      expect(await it.denied(({ operation }) => operation === 'import')).toMatchObject(event)
    },
  },
  contracts: {
    by: 'broker',
    rules: ({ at }) =>
      `fs:\n  read: ['${at}/**']\ncontracts:\n  - {name: one, on: open, assert: 'not path in "${at}/no/**"'}`,
    check: async (it, { at }) => {
      await answers(it, { [`read('${at}/yes/x')`]: "'yes'", [`read('${at}/no/x')`]: EPERM })
      expect(await it.denied(({ object }) => object === `${at}/no/x`)).toMatchObject({
        errno: 'EPERM',
        rule: { section: 'contracts', line: 7 },
      })
    },
  },
  'limits.memory': {
    by: { process: 'rlimit', interpreter: 'allocator' },
    rules: () => 'limits:\n  memory: 64MiB',
    check: async (it) => {
      await answers(it, { 'len(bytearray(1 << 20))': '1048576', 'len(bytearray(1 << 28))': /^MemoryError/ })
      await meets(it, 'bytearray(1 << 28)', 'memory', 'MemoryError')
    },
  },
  'limits.cpu': {
    by: { process: root ? 'cgroup' : none(''), interpreter: none('for whole processes') },
    rules: () => 'limits:\n  cpu: 20%',
    check: async (it) => {
      const { sandbox } = it
      await sandbox.exec(`
import time
end, before = time.monotonic() + 1, time.process_time()
while time.monotonic() < end: pass`)
      expect(await sandbox.eval<number>('time.process_time() - before')).toBeLessThan(0.5)
      await told(it, 'cpu', undefined, 'supervisor')
    },
  },
  'limits.cpuTime': {
    by: 'supervisor',
    rules: () => 'limits:\n  cpuTime: 400ms',
    check: async (it) => {
      await answers(it, { '6 * 7': '42' })
      const by = it.sandbox.isolation === 'process' ? 'supervisor' : 'guest'
      await ends(it, 'while True: pass', 'cpuTime', { kind: 'cpu', ms: 400 }, by)
    },
  },
  'limits.wallTime': {
    by: 'supervisor',
    rules: () => 'limits:\n  wallTime: 1s',
    check: async (it) => {
      await answers(it, { '6 * 7': '42' })
      const outcome = { kind: 'timeout', limit: 'wall', ms: 1000 } as const
      await ends(it, 'import time; time.sleep(20)', 'wallTime', outcome, 'supervisor')
    },
  },
  'limits.processes': {
    by: 'seccomp',
    rules: () => 'limits:\n  processes: 1',
    check: async (it) => {
      const rule = { section: 'limits.processes', text: '1', line: 5 } as Denial['rule']
      await refuses(it, 'os.fork()', { operation: 'call', object: 'fork', rule })
      await refuses(it, 'os.posix_spawn("/bin/true", ["true"], {})', { operation: 'exec', object: '/bin/true', rule })
    },
  },
  'limits.threads': {
    by: { process: 'rlimit', interpreter: 'engine' },
    rules: () => 'limits:\n  threads: 4',
    check: async (it) => {
      await it.sandbox.exec(`
import threading
hold = threading.Event()
def start(count):
    threads = [threading.Thread(target=hold.wait) for i in range(count)]
    for thread in threads: thread.start()
    return len(threads)`)
      expect(await it.sandbox.eval('start(1)')).toBe(1)
      await meets(it, 'start(20)', 'threads', 'RuntimeError')
      await it.sandbox.exec('hold.set()')
    },
  },
  'limits.openFiles': {
    by: { process: 'rlimit', interpreter: none('descriptors are counted for the whole cell') },
    rules: () => 'limits:\n  openFiles: 32',
    check: async (it) => {
      await answers(it, { 'len([os.pipe()])': '1', '[os.pipe() for i in range(99)]': 'OSError EMFILE' })
      await meets(it, '[os.pipe() for i in range(99)]', 'openFiles', 'EMFILE')
    },
  },
  'limits.fileSize': {
    by: { process: 'rlimit', interpreter: none('the size of files is limited for the whole cell') },
    rules: ({ at }) => `fs:\n  write: ['${at}/**']\nlimits:\n  fileSize: 1000B`,
    check: async (it, { at }) => {
      await answers(it, { [`write('${at}/f', 'x' * 1000)`]: '1000', [`write('${at}/f', 'x' * 1001)`]: 'OSError EFBIG' })
      await meets(it, `write('${at}/f', 'x' * 1001)`, 'fileSize', 'EFBIG')
    },
  },
  'limits.output': {
    by: 'supervisor',
    rules: () => 'limits:\n  output: 10kB',
    check: async (it) => {
      await answers(it, { "print('x' * 5000)": 'None' })
      await ends(it, "print('x' * 20_000)", 'output', { kind: 'output', bytes: 10_000 }, 'supervisor')
    },
  },
  // bandwidth.test.ts has them with an enforcer that keeps them.
  'limits.bandwidthIn': { by: none('receives'), rules: () => 'limits:\n  bandwidthIn: 1MiB/s' },
  'limits.bandwidthOut': { by: none('sends'), rules: () => 'limits:\n  bandwidthOut: 1MiB/s' },
  'limits.messages': {
    by: 'supervisor',
    rules: () => 'limits:\n  messages: 3',
    check: async (it) => {
      await it.sandbox.exec('for i in range(3): post(i)')
      await ends(it, 'post(4)', 'messages', { kind: 'messages', count: 3 }, 'supervisor')
    },
  },
}

async function given(): Promise<Given> {
  const at = folder()
  for (const name of ['yes', 'no']) {
    mkdirSync(join(at, name))
    writeFileSync(join(at, name, 'x'), name)
  }
  // On every address of the loopback: what keeps a guest from one of them is the rule.
  const server: Server = createServer((socket) => socket.on('error', () => {}).end('hello'))
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  const datagrams = createSocket('udp4')
  await new Promise<void>((resolve) => datagrams.bind(0, '0.0.0.0', resolve))
  onTestFinished(() => {
    server.close()
    datagrams.close()
  })
  return { at, tcp: (server.address() as { port: number }).port, udp: datagrams.address().port }
}

describe.each(everywhere)('in %s isolation', (isolation: Where) => {
  it.for(Object.entries(kinds))('%s', { timeout: 20_000 }, async ([rule, { by, rules, check }], { task }) => {
    const keeper = typeof by === 'string' ? by : by[isolation]
    const why = keeper.startsWith('none: ') ? keeper.slice('none: '.length) : undefined
    keeps(task, rule, why === undefined ? keeper : 'refused', isolation)
    const places = await given()
    const wanted = policy(rules(places))
    if (why !== undefined) {
      const refusal = await supervisor.spawn(`unkept ${isolation} ${rule}`, { isolation, policy: wanted }).then(
        () => undefined,
        (error: unknown) => error,
      )
      expect(UnenforceableError.isInstance(refusal) && refusal.rules).toMatchObject([
        { section: rule, why: expect.stringContaining(why) },
      ])
      return
    }
    const sandbox = await ruled(supervisor, { isolation, policy: wanted })
    const entries = sandbox.sandbox.enforcement.filter(({ detail }) => detail.startsWith(`${rule}: `))
    expect(entries.map(({ mechanism, state }) => [mechanism, state])).toContainEqual([keeper, 'active'])
    await check!(sandbox, places)
  })
})
