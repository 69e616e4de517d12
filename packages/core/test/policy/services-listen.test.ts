// Where a guest asks its supervisor to be found, and what it sends from there.

import { createSocket, type Socket as Datagrams } from 'node:dgram'
import { once } from 'node:events'
import { mkdirSync, symlinkSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { keeps } from '@pyisolate/test-kit'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSupervisor } from '../../src/index.js'
import { served, ways } from './services-support.js'
import { folder } from './support.js'

const supervisor = createSupervisor()
afterAll(() => supervisor.close())

const anywhere = `net:\n  bind: ['tcp://127.0.0.1:1-65535', 'udp://127.0.0.1:1-65535']`

async function dial(where: number | string): Promise<Socket> {
  const socket = typeof where === 'number' ? connect(where, '127.0.0.1') : connect(where)
  socket.on('error', () => {})
  onTestFinished(() => {
    socket.destroy()
  })
  await once(socket, 'connect')
  return socket
}

/** All that a socket gets until its end. */
async function all(socket: Socket): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of socket) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

/** A port that nobody has, for rules that name one: none that the kernel gives out by itself (ip_local_port_range). */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const server = createServer().listen(port)
    const free = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    if (!free) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

async function peer(): Promise<Datagrams> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  onTestFinished(() => {
    socket.close()
  })
  return socket
}

const ask = `
def tell(target, data=b"x", source=None):
    with pyisolate.datagram(source, timeout=5) as s:
        return s.sendto(data, target)
def at(address):
    with pyisolate.listen(address) as l:
        return l.getsockname()
`

describe.each(ways)('in %s', (_, way) => {
  it('listens where it may, and nowhere else', async ({ task }) => {
    keeps(task, 'net.bind', 'broker', 'a listener that the supervisor has for a guest')
    const port = await freePort()
    const free = await served(supervisor, way, `net:\n  bind: ['tcp://0.0.0.0/0:1-65535']`)
    await free.sandbox.exec(ask)
    const { sandbox, attempt, denied } = await served(supervisor, way, `net:\n  bind: ['tcp://127.0.0.1:${port}']`)
    await sandbox.exec(ask)
    for (const address of [`('127.0.0.1', 0)`, `('0.0.0.0', ${port})`, `('127.0.0.2', ${port})`, `('', ${port})`]) {
      // Where nothing forbids it, it works.
      expect(await free.attempt(`len(at(${address}))`), address).toBe('2')
      expect(await attempt(`at(${address})`), address).toBe('PermissionError EACCES')
    }
    expect(await attempt(`at('tcp://127.0.0.1:${port}')`)).toBe(`('127.0.0.1', ${port})`)
    expect(await attempt(`at(('::ffff:127.0.0.1', ${port}))`)).toBe(`('127.0.0.1', ${port})`)
    await denied(({ object, operation }) => operation === 'bind' && object === `tcp://0.0.0.0:${port}`)
  })

  it('serves those that connect, streaming both ways, each with its peer', async () => {
    const { sandbox, attempt } = await served(supervisor, way, anywhere)
    await sandbox.exec(`
l = pyisolate.listen(("127.0.0.1", 0), timeout=10)
`)
    const [, port] = await sandbox.eval<[string, number]>('list(l.getsockname())')
    const serving = sandbox.exec(`
for _ in range(10):
    s, peer = l.accept()
    def pump(s=s):
        with s:
            while data := s.recv(): s.sendall(data)
            s.shutdown()
    thread = threading.Thread(target=pump)
    thread.start()
    post(list(peer))
thread.join()
`)
    const text = 'x'.repeat(300_000)
    const answers = await Promise.all(
      Array.from({ length: 10 }, async (_, n) => {
        const socket = await dial(port)
        const answer = all(socket)
        socket.end(`${n}.${text}`)
        return [await answer, socket.localPort]
      }),
    )
    await serving
    expect(answers.map(([answer]) => answer)).toEqual(answers.map((_, n) => `${n}.${text}`))
    const peers = await Promise.all(answers.map(() => sandbox.recv<[string, number]>()))
    expect(new Set(peers.map(([host]) => host))).toEqual(new Set(['127.0.0.1']))
    const { ioBytesIn, ioBytesOut } = sandbox.stats()
    expect([ioBytesIn, ioBytesOut]).toEqual([10 * 300_002, 10 * 300_002])
    expect(await attempt('l.settimeout(0.05) or l.accept()')).toBe('TimeoutError ETIMEDOUT')
  })

  it('gives up at a deadline and at an interrupt, keeps what waits, and closes all at the end', async () => {
    const { sandbox, attempt } = await served(supervisor, way, anywhere)
    await sandbox.exec('l = pyisolate.listen(("127.0.0.1", 0))')
    const port = await sandbox.eval<number>('l.getsockname()[1]')
    const interrupted = expect(sandbox.eval('l.accept()')).rejects.toMatchObject({ type: 'KeyboardInterrupt' })
    await expect.poll(() => sandbox.stats().ioOperations).toBe(2)
    sandbox.interrupt()
    await interrupted
    const sockets = await Promise.all(Array.from({ length: 70 }, () => dial(port)))
    // As many as it may have, the listener included; then it is told, and the others wait.
    await sandbox.exec('many = [l.accept()[0] for _ in range(63)]')
    expect(await attempt('l.accept()')).toBe('OSError EMFILE')
    expect(sandbox.stats().ioOpen).toBe(64)
    await sandbox.exec('many.pop().close(); more = l.accept()[0]')
    expect(sandbox.stats().ioOpen).toBe(64)
    const ended = sockets.map((socket) => socket.closed || new Promise((done) => socket.on('close', done)))
    for (const socket of sockets) socket.resume()
    await sandbox.close()
    await Promise.all(ended)
    await expect(dial(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('listens at Unix sockets by where their name leads', async () => {
    const at = folder()
    for (const name of ['open', 'shut']) mkdirSync(join(at, name))
    symlinkSync(join(at, 'shut'), join(at, 'open', 'link'))
    const { sandbox, attempt } = await served(supervisor, way, `net:\n  bind: ['unix://${at}/open/**']`)
    await sandbox.exec(ask)
    for (const name of [`${at}/shut/s`, `${at}/open/link/s`, '@abstract'])
      expect(await attempt(`at('unix://${name}')`), name).toBe('PermissionError EACCES')
    await sandbox.exec(`l = pyisolate.listen('unix://${at}/open/s', timeout=10)`)
    expect(await attempt('l.getsockname()')).toBe(`'${at}/open/s'`)
    const serving = sandbox.exec('s, peer = l.accept()\ns.sendall(s.recv() + b" back")\ns.close()')
    const socket = await dial(join(at, 'open', 's'))
    socket.write('there and')
    expect(await all(socket)).toBe('there and back')
    await serving
  })

  it('sends datagrams where it may, and is answered', async ({ task }) => {
    keeps(task, 'net.sendto', 'broker', 'a datagram that the supervisor sends for a guest')
    const open = await peer()
    const shut = await peer()
    for (const one of [open, shut])
      one.on('message', (bytes, { port, address }) => one.send(`${bytes} back`, port, address))
    const heard: string[] = []
    shut.on('message', (bytes) => heard.push(String(bytes)))
    const [ours, theirs] = [open.address().port, shut.address().port]
    const free = await served(supervisor, way, `net:\n  sendto: ['udp://0.0.0.0/0:1-65535']`)
    await free.sandbox.exec(ask)
    const { sandbox, attempt, denied } = await served(supervisor, way, `net:\n  sendto: ['udp://127.0.0.1:${ours}']`)
    await sandbox.exec(ask)
    for (const host of ['127.0.0.1', '::ffff:127.0.0.1', '0.0.0.0']) {
      expect(await free.attempt(`tell(('${host}', ${theirs}), b'free')`), host).toBe('4')
      expect(await attempt(`tell(('${host}', ${theirs}), b'shut')`), host).toBe('PermissionError EACCES')
    }
    expect(await attempt(`tell(('127.0.0.1', ${ours}), b'x', ('127.0.0.1', 0))`)).toBe('PermissionError EACCES')
    await denied(({ object, operation }) => operation === 'sendto' && object === `udp://127.0.0.1:${theirs}`)
    await sandbox.exec('s = pyisolate.datagram(timeout=5)')
    for (const size of [0, 5, 1400, 9000, 60_000]) {
      expect(await attempt(`s.sendto(b'y' * ${size}, ('127.0.0.1', ${ours}))`)).toBe(String(size))
      expect(await attempt('(lambda got: (len(got[0]), got[1]))(s.recvfrom())')).toBe(
        `(${size + 5}, ('127.0.0.1', ${ours}))`,
      )
    }
    expect(await attempt(`s.sendto(bytes(65508), ('127.0.0.1', ${ours}))`)).toBe('OSError EMSGSIZE')
    expect(await attempt('s.settimeout(0.05) or s.recvfrom()')).toBe('TimeoutError ETIMEDOUT')
    expect(await attempt('s.getsockname()')).toMatch(/^\('::', 0\)|\('0.0.0.0', 0\)$/)
    await expect.poll(() => heard).toEqual(['free', 'free', 'free'])
    // Where nothing could be done with one, there is none.
    const none = await served(supervisor, way, `net:\n  connect: ['tcp://127.0.0.1:${ours}']`)
    expect(await none.attempt('pyisolate.datagram()')).toBe('PermissionError EACCES')
  })

  it('receives datagrams where it is bound, and a flood of them costs what it may and no more', async () => {
    const { sandbox, attempt } = await served(supervisor, way, anywhere)
    await sandbox.exec('s = pyisolate.datagram("udp://127.0.0.1:0", timeout=5)')
    const port = await sandbox.eval<number>('s.getsockname()[1]')
    const near = await peer()
    const before = process.memoryUsage().external
    for (let n = 0; n < 5000; n++)
      await new Promise<void>((done) => near.send(Buffer.alloc(1000), port, '127.0.0.1', () => done()))
    expect(process.memoryUsage().external - before).toBeLessThan(16 << 20)
    await sandbox.exec('s.settimeout(0.2)')
    await sandbox.exec(`
count = 0
try:
    while True:
        data, peer = s.recvfrom(10)
        assert data == bytes(10) and peer == ("127.0.0.1", ${near.address().port})
        count += 1
except TimeoutError: pass
`)
    expect(await sandbox.eval('count')).toBeGreaterThan(10)
    near.send('after', port, '127.0.0.1')
    expect(await attempt('s.recvfrom()[0]')).toBe("b'after'")
  })

  it('takes requests that its own guest made up', async () => {
    const { attempt } = await served(supervisor, way, `${anywhere}\n  sendto: ['udp://0.0.0.0/0:1-65535']`)
    const raw = (args: string) => attempt(`pyisolate._HostFunction('__io__')(${args})`)
    expect(await raw(`'listen', 1, None, '127.0.0.1', 65536`)).toBe('[22, None]')
    expect(await raw(`'listen', 2, None, 'x' * 999, 1`)).toBe('[36, None]')
    expect(await raw(`'listen', 3, None, '', None`)).toBe('[22, None]')
    expect(await raw(`'accept', 4, None, 99`)).toBe('[9, None]')
    expect(await raw(`'datagram', 5, None, '/tmp/x', None`)).toMatch(/^\[(97|22), None\]$/)
    expect(await raw(`'datagram', 6, None, None, None`)).toMatch(/^\[0, \[1, /)
    expect(await raw(`'sendto', 7, None, 1, '127.0.0.1', b'x', None`)).toBe('[22, None]')
    expect(await raw(`'sendto', 8, None, 1, '127.0.0.1', bytes(70000), 1`)).toBe('[90, None]')
    expect(await raw(`'sendto', 9, None, 1, '127.0.0.1', 'x', 1`)).toBe('[22, None]')
    for (const what of [`'accept', 10, None, 1`, `'receive', 11, None, 1, 0, 1`, `'read', 12, None, 1, 0, 1`])
      expect(await raw(what)).toBe('[9, None]')
  })
})
