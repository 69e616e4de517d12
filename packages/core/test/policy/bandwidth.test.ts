// What the sockets of a guest may carry: without an enforcer as much as it likes, with one what its bucket holds and gets.
// Judged by the bytes that the bucket let pass, between two looks at the clock that the bucket itself goes by.
import { createSocket, type Socket as Datagrams } from 'node:dgram'
import { existsSync, mkdtempSync, rmdirSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { bpfBandwidth, probe } from '@pyisolate/bpf'
import { keeps } from '@pyisolate/test-kit'
import { afterAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import {
  type CompiledPolicy,
  createSupervisor,
  type Denial,
  type Sandbox,
  UnenforceableError,
} from '../../src/index.js'
import { everywhere, policy, type Ruled, ruled } from './support.js'

const support = probe().find(({ feature }) => feature === 'bpf-bandwidth')!
beforeEach((context) => {
  if (support.supported) return
  // Root loads programs: there it must work.
  if (process.getuid?.() !== 0) context.skip(`needs bpf-bandwidth; ${support.evidence}`)
  expect(support.evidence).toBe('')
})

const enforcer = bpfBandwidth()
const supervisor = createSupervisor({ enforcers: [enforcer] })
afterAll(async () => {
  await supervisor.close()
  await enforcer.close()
})

/** Bytes a second. What is sent beyond the burst would take minutes. */
const rate = 64_000
/** The least, and what holds for such a rate. */
const burst = 128 << 10
const datagram = 1028 // of 1000 bytes, with the headers of UDP and IPv4

const prelude = `
import ctypes, os, threading
def datagrams(port, count, at='127.0.0.1'):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((at, port))
        for i in range(count): s.send(b'x' * 1000)
def sent_to(port, count):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for i in range(count): s.sendto(b'x' * 1000, ('127.0.0.1', port))
def natively(port, count):
    libc = ctypes.CDLL(None)
    fd = libc.socket(socket.AF_INET, socket.SOCK_DGRAM, 0)
    address = bytes([2, 0]) + port.to_bytes(2, 'big') + bytes([127, 0, 0, 1]) + bytes(8)
    assert libc.connect(fd, address, len(address)) == 0
    for i in range(count): libc.write(fd, b'x' * 1000, 1000)
    libc.close(fd)
def duplicated(port, count):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(('127.0.0.1', port))
        other = os.dup(s.fileno())
    for i in range(count): os.write(other, b'x' * 1000)
    os.close(other)
held = []
def stream(port, size, family=socket.AF_INET):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.connect(('127.0.0.1' if family == socket.AF_INET else '::1', port))
    s.setblocking(False)
    held.append(s)
    sent = 0
    while sent < size:
        try: sent += s.send(b'x' * min(65536, size - sent))
        except BlockingIOError: break
    return sent
def receiver(kind, count=1):
    s = socket.socket(socket.AF_INET, kind)
    s.bind(('127.0.0.1', 0))
    held.append(s)
    if kind == socket.SOCK_STREAM:
        s.listen()
        def accepted():
            peer, _ = s.accept()
            held.append(peer)
            while peer.recv(65536): pass
        for i in range(count): threading.Thread(target=accepted).start()
    return s.getsockname()[1]
def take(port):
    s = socket.create_connection(('127.0.0.1', port))
    held.append(s)
    def all():
        while s.recv(65536): pass
    threading.Thread(target=all).start()
`

const anywhere = (limits: string): CompiledPolicy =>
  policy(`net:
  connect: ['tcp://127.0.0.0/8:*', 'udp://127.0.0.0/8:*', 'tcp://[::1]:*']
  sendto: ['udp://127.0.0.1:*']
  bind: ['tcp://127.0.0.1:*', 'udp://127.0.0.1:*']
${limits}`)

const limited = (limits: string): CompiledPolicy => anywhere(`limits: { ${limits} }`)

async function guest(
  rules: CompiledPolicy,
  isolation: Ruled['sandbox']['isolation'],
  of = supervisor,
): Promise<Metered> {
  const since = performance.now()
  const made = await ruled(of, { isolation, policy: rules })
  await made.sandbox.exec(prelude)
  return { ...made, since }
}

interface Metered extends Ruled {
  /** On the monotonic clock, as the kernel's. */
  readonly since: number
}

interface Count {
  readonly bytes: number
  readonly dropped: number
}

function count(sandbox: Sandbox, direction: 'in' | 'out'): Count {
  const counted = sandbox.counters()['bpf-bandwidth']!
  return { bytes: Number(counted[`bytes_${direction}`]), dropped: Number(counted[`dropped_${direction}`]) }
}

/** What a full bucket may have let pass since then: looked at last, the clock is never behind. */
const most = (perSecond: number, since: number): number => burst + (perSecond * (performance.now() - since)) / 1000

/** It has been cut, and to no less than a burst: some packet found no room in it, and the largest have 64 KiB. */
async function held(sandbox: Sandbox, direction: 'in' | 'out', since: number): Promise<void> {
  await expect.poll(() => count(sandbox, direction).dropped, { timeout: 10_000 }).toBeGreaterThan(0)
  const { bytes } = count(sandbox, direction)
  expect(bytes).toBeLessThanOrEqual(most(rate, since))
  expect(bytes).toBeGreaterThan(burst - 66_000)
}

async function sink(): Promise<{ socket: Datagrams; port: number }> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    socket.close()
  })
  return { socket, port: socket.address().port }
}

async function server(onSocket: (socket: Socket) => void, host = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>()
  const made: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    onSocket(socket)
  })
  await new Promise<void>((resolve) => made.listen(0, host, resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    made.close()
  })
  return (made.address() as { port: number }).port
}

const sendAll = async (socket: Datagrams, port: number, times: number): Promise<void> => {
  for (let i = 0; i < times; i++)
    await new Promise<void>((resolve, reject) =>
      socket.send(Buffer.alloc(1000), port, '127.0.0.1', (error) => (error ? reject(error) : resolve())),
    )
}

const flood = (socket: Socket): void => {
  const piece = Buffer.alloc(65_536)
  const more = (): void => {
    while (!socket.destroyed && socket.write(piece));
  }
  socket.on('drain', more).on('error', () => {})
  more()
}

describe('without an enforcer', () => {
  const without = createSupervisor()
  afterAll(() => without.close())
  const rules = 'enforcement: best-effort\nlimits: { bandwidthIn: 64kB/s, bandwidthOut: 64kB/s }'

  it.for(everywhere)('a guest in %s isolation sends and receives what it likes', async (isolation) => {
    const { sandbox, since } = await guest(anywhere(rules), isolation, without)
    const [bytes, drained] = [16 << 20, new Set<Socket>()]
    let received = 0
    const port = await server((socket) => {
      drained.add(socket.on('data', ({ length }) => (received += length)))
    })
    await sandbox.exec(`s = socket.create_connection(('127.0.0.1', ${port})); s.sendall(b'x' * ${bytes}); s.close()`)
    await expect.poll(() => received).toBe(bytes)
    const from = await server((socket) => socket.end(Buffer.alloc(bytes)))
    const got = await sandbox.eval<number>(
      `(lambda s: sum(iter(lambda: len(s.recv(65536)), 0)))(socket.create_connection(('127.0.0.1', ${from})))`,
    )
    expect(got).toBe(bytes)
    // Minutes, under the limit.
    expect(bytes).toBeGreaterThan(most(rate, since))
  })

  it.for(everywhere)('a strict policy is refused in %s isolation, with its line', async (isolation) => {
    const refused = without.spawn(`strict ${isolation}`, { isolation, policy: limited('bandwidthIn: 1MiB/s') })
    const error = await refused.catch((thrown: unknown) => thrown)
    expect(UnenforceableError.isInstance(error) && error.rules).toMatchObject([
      { section: 'limits.bandwidthIn', place: { line: 8 }, why: expect.stringContaining('bpfBandwidth()') },
    ])
  })
})

describe.each(everywhere)('a guest in %s isolation', (isolation) => {
  it.for(['datagrams', 'sent_to', 'natively', 'duplicated'])(
    'sends what its bucket gives: %s',
    async (way, { task }) => {
      keeps(task, 'limits.bandwidthOut', 'bpf-bandwidth', isolation)
      const { sandbox, since } = await guest(limited('bandwidthOut: 64kB/s'), isolation)
      expect(sandbox.enforcement).toContainEqual(
        expect.objectContaining({
          mechanism: 'bpf-bandwidth',
          state: 'active',
          detail: expect.stringMatching(/bandwidthOut/),
        }),
      )
      const { port } = await sink()
      await sandbox.call(way, [port, 1000])
      await held(sandbox, 'out', since)
      const { bytes, dropped } = count(sandbox, 'out')
      expect(bytes + dropped).toBe(1000 * datagram)
      await sandbox.close()
      expect(count(sandbox, 'out')).toEqual({ bytes, dropped })
    },
  )

  it('sends by all of its streams together what its one bucket gives', async () => {
    const { sandbox, since } = await guest(limited('bandwidthOut: 64kB/s'), isolation)
    const port = await server((socket) => socket.resume())
    const port6 = await server((socket) => socket.resume(), '::1')
    for (const to of [`${port}, 1 << 24`, `${port}, 1 << 24`, `${port6}, 1 << 24, socket.AF_INET6`])
      await sandbox.exec(`stream(${to})`)
    await held(sandbox, 'out', since)
  })

  it('sends by pyisolate.connect from the same bucket', async () => {
    const { sandbox, since } = await guest(limited('bandwidthOut: 64kB/s'), isolation)
    const port = await server((socket) => socket.resume())
    const sending = sandbox.exec(
      `import pyisolate\nwith pyisolate.connect(('127.0.0.1', ${port})) as s: s.sendall(b'x' * (1 << 24))`,
    )
    sending.catch(() => {})
    await held(sandbox, 'out', since)
  })

  it('sends by pyisolate.listen, to those that it has accepted, from the same bucket', async () => {
    const { sandbox, since } = await guest(limited('bandwidthOut: 64kB/s'), isolation)
    await sandbox.exec(`import pyisolate\nl = pyisolate.listen(('127.0.0.1', 0))`)
    const [, port] = await sandbox.eval<[string, number]>('list(l.getsockname())')
    const sending = sandbox.exec(`s, _ = l.accept()\ns.sendall(b'x' * (1 << 24))`)
    sending.catch(() => {})
    const peer = connect(port, '127.0.0.1')
      .on('error', () => {})
      .resume()
    onTestFinished(() => {
      peer.destroy()
    })
    await held(sandbox, 'out', since)
  })

  it('sends by pyisolate.datagram from the same bucket', async () => {
    const { sandbox, since } = await guest(limited('bandwidthOut: 64kB/s'), isolation)
    const { port } = await sink()
    const sending = sandbox.exec(
      `import pyisolate\nwith pyisolate.datagram() as s:\n  for i in range(1000): s.sendto(b'x' * 1000, ('127.0.0.1', ${port}))`,
    )
    sending.catch(() => {})
    await held(sandbox, 'out', since)
  })

  it('receives what its bucket gives: datagrams', async ({ task }) => {
    keeps(task, 'limits.bandwidthIn', 'bpf-bandwidth', isolation)
    const { sandbox, since } = await guest(limited('bandwidthIn: 64kB/s'), isolation)
    const port = await sandbox.eval<number>('receiver(socket.SOCK_DGRAM)')
    const { socket } = await sink()
    await sendAll(socket, port, 1000)
    await held(sandbox, 'in', since)
    expect(count(sandbox, 'in').bytes + count(sandbox, 'in').dropped).toBe(1000 * datagram)
  })

  it('receives what its bucket gives: a stream that it has connected', async () => {
    const { sandbox, since } = await guest(limited('bandwidthIn: 64kB/s'), isolation)
    const port = await server(flood)
    await sandbox.exec(`take(${port})`)
    await held(sandbox, 'in', since)
  })

  it('receives what its bucket gives: streams that it has accepted', async () => {
    const { sandbox, since } = await guest(limited('bandwidthIn: 64kB/s'), isolation)
    const port = await sandbox.eval<number>('receiver(socket.SOCK_STREAM, 2)')
    for (let i = 0; i < 2; i++) {
      const peer = connect(port, '127.0.0.1')
      onTestFinished(() => {
        peer.destroy()
      })
      await new Promise<void>((resolve) => peer.on('connect', resolve))
      flood(peer)
    }
    await held(sandbox, 'in', since)
  })

  it('has it told that it is slowed down: by which line, once a second at most, the rest counted', async () => {
    const one = await guest(limited('bandwidthIn: 64kB/s, bandwidthOut: 64kB/s'), isolation)
    const free = await guest(anywhere(''), isolation)
    const { port, socket } = await sink()
    for (const { sandbox } of [one, free]) await sandbox.call('datagrams', [port, 500])
    const own = await one.sandbox.eval<number>('receiver(socket.SOCK_DGRAM)')
    await sendAll(socket, own, 500)
    const told = (limit: string) => (denial: Denial) => denial.operation === 'limit' && denial.object === limit
    for (const limit of ['bandwidthIn', 'bandwidthOut'])
      expect(await one.denied(told(limit))).toEqual({
        ...{ operation: 'limit', object: limit, name: undefined },
        rule: { number: undefined, section: `limits.${limit}`, text: '64000', file: 'test.yaml', line: 8 },
        policy: 'test',
        generation: 1,
        errno: undefined,
        lost: 0,
        toldBy: 'supervisor',
        allowed: false,
      })
    // Until it is told once more, which it is of what is dropped in another second.
    const again = one.denied((denial) => told('bandwidthOut')(denial) && denial.lost > 0)
    const more = async (): Promise<'more'> => one.sandbox.call('datagrams', [port, 100]).then(() => 'more')
    while ((await Promise.race([again, more()])) === 'more');
    const seconds = (performance.now() - one.since) / 1000
    const events = one.denials.filter(told('bandwidthOut'))
    expect(events.length).toBeLessThanOrEqual(seconds + 1)
    const packets = events.reduce((sum, { lost }) => sum + lost + 1, 0)
    expect(packets * datagram).toBeLessThanOrEqual(count(one.sandbox, 'out').dropped)
    expect((await again).lost).toBeGreaterThan(100)
    expect(free.denials).toEqual([])
  })

  it('has what a reload gives from the next packet on, by the sockets that it has', async () => {
    const { sandbox } = await guest(anywhere(''), isolation)
    const { port } = await sink()
    await sandbox.exec(`
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(('127.0.0.1', ${port}))
def send(count):
    for i in range(count): s.send(b'x' * 1000)`)
    const sent = async (times: number): Promise<Count & { since: number }> => {
      const [before, since] = [count(sandbox, 'out'), performance.now()]
      await sandbox.exec(`send(${times})`)
      const after = count(sandbox, 'out')
      return { bytes: after.bytes - before.bytes, dropped: after.dropped - before.dropped, since }
    }
    const all = 1000 * datagram
    expect(await sent(1000), 'not limited').toMatchObject({ bytes: all, dropped: 0 })
    await sandbox.reload(limited('bandwidthOut: 64kB/s'))
    const tightened = await sent(1000)
    expect(tightened.bytes, 'limited').toBeLessThanOrEqual(most(rate, tightened.since))
    expect(tightened.bytes + tightened.dropped).toBe(all)
    // The bucket is empty, for two seconds at the old rate: what was loosened doesn't wait for that.
    await sandbox.reload(limited('bandwidthOut: 1GB/s'))
    const loosened = await sent(1000)
    expect(loosened.bytes, 'loosened').toBeGreaterThan(all / 2)
    await sandbox.reload(limited('bandwidthOut: 64kB/s'))
    const again = await sent(1000)
    expect(again.bytes, 'limited again').toBeLessThanOrEqual(most(rate, again.since))
    await sandbox.reload(anywhere(''))
    expect(await sent(1000), 'no limit').toMatchObject({ bytes: all, dropped: 0 })
  })
})

it('two sandboxes of one cell have a bucket each, and each its own limit', async () => {
  const options = { isolation: 'interpreter', cell: 'two buckets' } as const
  const rules = [limited('bandwidthOut: 64kB/s'), anywhere('')]
  const since = performance.now()
  const [slow, fast] = await Promise.all(rules.map((rule) => ruled(supervisor, { ...options, policy: rule })))
  const { port } = await sink()
  for (const { sandbox } of [slow!, fast!]) await sandbox.exec(prelude)
  await Promise.all([slow!, fast!].map(({ sandbox }) => sandbox.exec(`datagrams(${port}, 1000)`)))
  expect(slow!.sandbox.pid).toBe(fast!.sandbox.pid)
  await held(slow!.sandbox, 'out', since)
  expect(count(fast!.sandbox, 'out')).toEqual({ bytes: 1000 * datagram, dropped: 0 })
})

it('a process that makes no difference to the group that is watched is found out before it is relied on', async () => {
  const tree = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((at) => existsSync(`${at}/cgroup.procs`))
  const folder = mkdtempSync(`${tree}/pyisolate-band-`)
  onTestFinished(() => rmdirSync(folder))
  await using elsewhere = bpfBandwidth({ group: folder })
  const other = createSupervisor({ enforcers: [elsewhere], pool: { size: 0 } })
  onTestFinished(() => other.close())
  await expect(other.spawn('unseen', { policy: limited('bandwidthOut: 64kB/s') })).rejects.toMatchObject({
    code: 'ERR_PYISOLATE_UNSUPPORTED',
    feature: 'bpf-bandwidth',
    minimumKernel: '5.12',
    message: expect.stringContaining('pass no program'),
  })
  expect(other.sandboxes()).toEqual([])
})
