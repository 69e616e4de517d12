// What becomes of files and sockets that the supervisor has for a guest when a policy takes them away.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSupervisor } from '../../src/index.js'
import { echo, listen, local, prelude, served, ways } from './services-support.js'
import { folder, policy, ruled } from './support.js'

const supervisor = createSupervisor()
afterAll(() => supervisor.close())

/** Answers, and how many connections there are. */
async function counted() {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => {}).on('close', () => open.delete(socket))
    socket.on('data', (bytes) => socket.write(bytes))
  })
  return { port: await listen(server, local), open }
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  onTestFinished(() => {
    socket.destroy()
  })
  await once(socket, 'connect')
  return socket
}

const open = `
def start(path, port, udp):
    global file, out, stream, listener, accepted, packets
    file = pyisolate.open(path + "/kept", "rb")
    out = pyisolate.open(path + "/made", "wb")
    stream = pyisolate.connect(("127.0.0.1", port), timeout=5)
    listener = pyisolate.listen(("127.0.0.1", 0), timeout=5)
    packets = pyisolate.datagram(("127.0.0.1", 0), timeout=5)
    packets.sendto(b"hello", ("127.0.0.1", udp))
    return listener.getsockname()[1]
def accept():
    global accepted
    accepted = listener.accept()[0]
def ends(stream):
    try:
        while stream.recv(): pass
        return "end"
    except OSError as error:
        return f"{type(error).__name__} {errno.errorcode[error.errno]}"
`

describe.each(ways)('in %s', (_, way) => {
  it('what a reload takes away ends with EACCES, and what it leaves goes on', async () => {
    const at = folder()
    writeFileSync(join(at, 'kept'), Buffer.alloc(1 << 20, 'k'))
    const gone = await counted()
    const kept = await counted()
    const udp = createSocket('udp4')
    udp.bind(0, '127.0.0.1')
    await once(udp, 'listening')
    onTestFinished(() => {
      udp.close()
    })
    const number = udp.address().port
    const all = `fs:
  read: ['${at}/**']
  write: ['${at}/**']
net:
  connect: ['tcp://127.0.0.1:${gone.port}', 'tcp://127.0.0.1:${kept.port}']
  bind: ['tcp://127.0.0.1:1-65535', 'udp://127.0.0.1:1-65535']
  sendto: ['udp://127.0.0.1:${number}']`
    const { sandbox, attempt, denied } = await served(supervisor, way, all)
    await sandbox.exec(open)
    const port = await sandbox.call<number>('start', [at, gone.port, number])
    const [inbound] = await Promise.all([dial(port), sandbox.exec('accept()')])
    await sandbox.exec(`
other = pyisolate.connect(("127.0.0.1", ${kept.port}), timeout=5)
other.sendall(b"other")
assert file.raw.readinto(bytearray(10)) == 10
stream.sendall(b"unread")
`)
    expect(await attempt('other.recv()')).toBe("b'other'")
    // A listener's next connection, a peer's bytes and a datagram are there already, or on their way.
    const waiting = await dial(port)
    inbound.write('unread')
    udp.send('unread', await sandbox.eval<number>('packets.getsockname()[1]'), '127.0.0.1')
    const ended = [inbound, waiting].map((socket) => new Promise((done) => socket.resume().on('close', done)))

    await sandbox.reload(policy(`fs:\n  write: ['${at}/**']\nnet:\n  connect: ['tcp://127.0.0.1:${kept.port}']`))
    for (const what of [
      'file.raw.readinto(bytearray(10))',
      'stream.recv()',
      'stream.send(b"x")',
      'listener.accept()',
      'accepted.recv()',
      'accepted.send(b"x")',
      'packets.recvfrom()',
      `packets.sendto(b"x", ("127.0.0.1", ${number}))`,
      `ask(("127.0.0.1", ${gone.port}))`,
    ])
      expect(await attempt(what), what).toBe('PermissionError EACCES')
    await Promise.all(ended)
    await expect.poll(() => gone.open.size).toBe(0)
    await expect(dial(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect(await attempt('other.sendall(b"still") or other.recv()')).toBe("b'still'")
    expect(await attempt('out.write(b"more") and out.flush()')).toBe('None')
    expect(kept.open.size).toBe(1)
    await denied(({ object, operation }) => operation === 'connect' && object === `tcp://127.0.0.1:${gone.port}`)
    await denied(({ object, operation }) => operation === 'read' && object === `${at}/kept`)

    // Once taken away it stays so: a number that is given back stands for something new.
    await sandbox.reload(policy(all))
    expect(await attempt('stream.recv()')).toBe('PermissionError EACCES')
    await sandbox.exec('for one in (stream, listener, accepted, packets): one.close()\nfile.close()')
    expect(await attempt(`ask(("127.0.0.1", ${gone.port}))`)).toBe("b'hello'")
    expect(sandbox.stats().ioOpen).toBe(2)
  })

  it('what waits is told at once', async () => {
    const silent = await listen(
      createServer((socket) => socket.on('error', () => {})),
      local,
    )
    const { sandbox } = await served(supervisor, way, `net:\n  connect: ['tcp://127.0.0.1:${silent}']`)
    await sandbox.exec(open)
    await sandbox.exec(`stream = pyisolate.connect(("127.0.0.1", ${silent}))`)
    const waiting = sandbox.eval('ends(stream)')
    await expect.poll(() => sandbox.stats().ioOperations).toBe(2)
    await sandbox.reload(policy('net: {}'))
    expect(await waiting).toBe('PermissionError EACCES')
  })

  it('every request is decided by the old policy or by the new one', async () => {
    const at = folder()
    for (const name of ['a', 'b', 'both']) writeFileSync(join(at, name), name)
    const rules = ['a', 'b'].map((name) => policy(`fs:\n  read: ['${at}/${name}', '${at}/both']`))
    const { sandbox } = await ruled(supervisor, way(rules[0]!))
    await sandbox.exec(`${prelude}
stop = False
def ask():
    counts = {}
    while not stop:
        for name in ("a", "b", "both"):
            said = attempt(f"get('${at}/{name}')")
            counts[name, said] = counts.get((name, said), 0) + 1
    return [[*key, count] for key, count in counts.items()]
def listen():
    global stop
    recv()
    stop = True
threading.Thread(target=listen).start()
`)
    const asking = sandbox.eval<[string, string, number][]>('ask()')
    const requests = () => sandbox.stats().ioOperations
    // Sooner or later within what `get` asks for: to open, to read, to read the end, to close.
    for (let n = 1; requests() < 1000; n++) {
      const next = requests() + (n % 13)
      while (requests() < next) await turn()
      await sandbox.reload(rules[n % 2]!)
    }
    await sandbox.send(null)
    const counts = await asking
    // Each was allowed at times and denied at times; what both allow was never denied, and nothing else happened.
    expect(new Set(counts.map(([name, said]) => `${name}: ${said}`))).toEqual(
      new Set(["a: 'a'", 'a: PermissionError EACCES', "b: 'b'", 'b: PermissionError EACCES', "both: 'both'"]),
    )
  })
})

describe('services of their own', () => {
  it('are reloaded before they are first used, by the sandbox and by its supervisor', async () => {
    const port = await listen(echo(), local)
    const none = policy('net: {}')
    const some = policy(`net:\n  connect: ['tcp://127.0.0.1:${port}']`)
    const { sandbox, attempt } = await ruled(supervisor, { services: none })
    await sandbox.exec(prelude)
    await sandbox.reload(some)
    expect(await attempt(`ask(("127.0.0.1", ${port}))`)).toBe("b'hello'")
    const result = await supervisor.reload(none, { sandboxes: [sandbox.name] })
    expect(result).toEqual({
      refused: [],
      reloaded: [{ sandbox: sandbox.name, name: 'test', digest: none.digest, generation: 3 }],
    })
    expect(await attempt(`ask(("127.0.0.1", ${port}))`)).toBe('PermissionError EACCES')
    // The cell itself is as it was.
    expect(await attempt(`read('/etc/passwd')`)).toMatch(/FileNotFoundError|PermissionError/)
  })

  it('refuse what they cannot keep, and a sandbox without any has nothing to replace', async () => {
    const { sandbox, attempt } = await ruled(supervisor, { services: policy('fs: {}') })
    await sandbox.exec(prelude)
    const limited = policy('limits:\n  memory: 64MiB')
    await expect(sandbox.reload(limited)).rejects.toMatchObject({ code: 'ERR_PYISOLATE_OPTION' })
    const { refused } = await supervisor.reload(limited, { sandboxes: [sandbox.name] })
    expect(refused).toMatchObject([{ sandbox: sandbox.name, code: 'ERR_PYISOLATE_OPTION' }])
    expect(await attempt(`get('/etc/passwd')`)).toBe('PermissionError EACCES')
    const plain = await ruled(supervisor, {})
    await expect(plain.sandbox.reload(policy('fs: {}'))).rejects.toMatchObject({ code: 'ERR_PYISOLATE_RELOAD' })
  })

  it('follow the file that they were named after', async () => {
    const at = folder()
    mkdirSync(join(at, 'policies'))
    writeFileSync(join(at, 'secret'), 'secret')
    const file = join(at, 'policies', 'mine.yaml')
    const write = (rules: string) => writeFileSync(file, `version: 1\nextends: stdlib.readonly\n${rules}`)
    write('fs: {}')
    const own = createSupervisor({ policies: { watch: join(at, 'policies'), settle: 20 } })
    onTestFinished(() => own.close())
    await own.ready()
    const { sandbox, attempt } = await ruled(own, { services: 'mine' })
    await sandbox.exec(prelude)
    expect(await attempt(`get('${at}/secret')`)).toBe('PermissionError EACCES')
    const reloaded = new Promise((done) => own.once('reload', done))
    write(`fs:\n  read: ['${at}/secret']`)
    await reloaded
    expect(await attempt(`get('${at}/secret')`)).toBe("'secret'")
  })
})
