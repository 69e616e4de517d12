// What a guest asks its supervisor for: judged as its own calls are, in cells with a broker and without one.

import { linkSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createSupervisor } from '../../src/index.js'
import { echo, listen, local, prelude, served, ways } from './services-support.js'
import { folder, policy, ruled } from './support.js'

const supervisor = createSupervisor()
afterAll(() => supervisor.close())

describe.each(ways)('in %s', (_, way) => {
  it('opens what may be read and written, and tells of what may not', async () => {
    const at = folder()
    writeFileSync(join(at, 'text'), 'one\ntwo\n')
    mkdirSync(join(at, 'out'))
    const { attempt, denied } = await served(
      supervisor,
      way,
      `fs:\n  read: ['${at}/text', '${at}/out/**']\n  write: ['${at}/out/**']`,
    )
    expect(await attempt(`get('${at}/text')`)).toBe("'one\\ntwo\\n'")
    expect(await attempt(`get('${at}/text', 'rb')`)).toBe("b'one\\ntwo\\n'")
    expect(await attempt(`put('${at}/out/new', 'x' * 300000), len(get('${at}/out/new'))`)).toBe('(300000, 300000)')
    expect(statSync(join(at, 'out', 'new')).mode & 0o7777 & ~0o666).toBe(0)
    expect(await attempt(`put('${at}/out/new', 'more', 'a')`)).toBe('4')
    expect(readFileSync(join(at, 'out', 'new'), 'utf8').endsWith('xmore')).toBe(true)
    expect(await attempt(`put('${at}/out/new', 'x', 'x')`)).toBe('FileExistsError EEXIST')
    expect(await attempt(`get('${at}/out/none')`)).toBe('FileNotFoundError ENOENT')
    expect(await attempt(`get('${at}/out')`)).toBe('IsADirectoryError EISDIR')
    expect(await attempt(`put('${at}/text')`)).toBe('PermissionError EACCES')
    expect(readFileSync(join(at, 'text'), 'utf8')).toBe('one\ntwo\n')
    expect(await attempt(`get('/etc/passwd')`)).toBe('PermissionError EACCES')
    expect(await denied(({ object }) => object === '/etc/passwd')).toMatchObject({
      operation: 'read',
      policy: 'test',
      errno: 'EACCES',
      allowed: false,
    })
    await denied(({ object, operation }) => object === join(at, 'text') && operation === 'write')
  })

  it('judges what a path leads to: links, dots, magic links, and names that only look right', async () => {
    const at = folder()
    mkdirSync(join(at, 'open', 'deep'), { recursive: true })
    mkdirSync(join(at, 'shut'))
    writeFileSync(join(at, 'shut', 'secret'), 'secret')
    symlinkSync(join(at, 'shut', 'secret'), join(at, 'open', 'link'))
    symlinkSync('../../shut', join(at, 'open', 'deep', 'up'))
    symlinkSync('/', join(at, 'open', 'root'))
    const paths = [
      `${at}/open/link`,
      `${at}/open/deep/up/secret`,
      `${at}/open/../shut/secret`,
      `${at}/open/root${at}/shut/secret`,
      `/proc/self/root${at}/shut/secret`,
      `/proc/self/cwd/..${at}/shut/secret`,
      `/proc/self/environ`,
      `/proc/1/environ`,
      `/dev/../etc/shadow`,
      `//etc//shadow`,
      `${at}/openness`,
    ]
    writeFileSync(join(at, 'openness'), 'secret')
    // Where nothing judges, each of them is there to be read, or at least found.
    const free = await served(supervisor, way, `fs:\n  read: ['/**']\n  write: ['/**']`)
    for (const path of paths.slice(0, 4)) expect(await free.attempt(`get('${path}')`)).toBe("'secret'")
    const { attempt } = await served(supervisor, way, `fs:\n  read: ['${at}/open/**']\n  write: ['${at}/open/**']`)
    for (const path of paths) {
      expect(await attempt(`get('${path}')`), path).toBe('PermissionError EACCES')
      expect(await attempt(`put('${path}')`), path).toBe('PermissionError EACCES')
    }
    expect(readFileSync(join(at, 'shut', 'secret'), 'utf8')).toBe('secret')
    // Procfs is nobody's, whatever a policy says.
    expect(await free.attempt(`get('/proc/self/environ')`)).toBe('PermissionError EACCES')
    expect(await attempt(`get('${at}/open/\\0')`)).toMatch(/EINVAL|ValueError/)
    expect(await attempt(`get('${at}/open/' + 'x' * 5000)`)).toBe('OSError ENAMETOOLONG')
  })

  it('reaches what may be reached, by whatever address it is called', async () => {
    const open = await listen(echo(), local)
    const shut = await listen(echo(), local)
    const { attempt, denied } = await served(supervisor, way, `net:\n  connect: ['tcp://127.0.0.1:${open}']`)
    expect(await attempt(`ask(('127.0.0.1', ${open}))`)).toBe("b'hello'")
    expect(await attempt(`ask('tcp://127.0.0.1:${open}')`)).toBe("b'hello'")
    expect(await attempt(`ask(('::ffff:127.0.0.1', ${open}))`)).toBe("b'hello'")
    for (const host of ['127.0.0.1', '::ffff:127.0.0.1', '0.0.0.0', '::ffff:7f00:1'])
      expect(await attempt(`ask(('${host}', ${shut}))`), host).toBe('PermissionError EACCES')
    expect(await attempt(`ask(('127.0.0.2', ${open}))`)).toBe('PermissionError EACCES')
    await denied(({ object, operation }) => operation === 'connect' && object === `tcp://127.0.0.1:${shut}`)
  })

  it('judges a name by the address that it leads to', async () => {
    const port = await listen(echo(), local)
    const sections = `net:\n  dns: [localhost]\n  connect: ['tcp://localhost:${port}']`
    const { attempt, denied } = await served(supervisor, way, sections)
    expect(await attempt(`ask(('localhost', ${port}))`)).toBe("b'hello'")
    expect(await attempt(`ask(('other.invalid', ${port}))`)).toMatch(/^gaierror/)
    await denied(({ object, operation }) => operation === 'resolve' && object === 'other.invalid')
    // A name that may be asked for leads inside: that does not open what is inside.
    const inside = await served(
      supervisor,
      way,
      `net:\n  dns: [localhost]\n  connect: ['tcp://*:1-65535']\n  deny: ['tcp://127.0.0.0/8:1-65535', 'tcp://[::1]:1-65535']`,
    )
    expect(await inside.attempt(`ask(('localhost', ${port}))`)).toBe('PermissionError EACCES')
  })

  it('reaches Unix sockets by where their name leads', async () => {
    const at = folder()
    mkdirSync(join(at, 'open'))
    mkdirSync(join(at, 'shut'))
    await listen(echo(), { path: join(at, 'open', 's') })
    await listen(echo(), { path: join(at, 'shut', 's') })
    symlinkSync(join(at, 'shut', 's'), join(at, 'open', 'link'))
    const { attempt } = await served(supervisor, way, `net:\n  connect: ['unix://${at}/open/**']`)
    expect(await attempt(`ask('unix://${at}/open/s')`)).toBe("b'hello'")
    expect(await attempt(`ask('unix://${at}/open/link')`)).toBe('PermissionError EACCES')
    expect(await attempt(`ask('unix://${at}/shut/s')`)).toBe('PermissionError EACCES')
    expect(await attempt(`ask('unix://@abstract')`)).toBe('PermissionError EACCES')
  })

  it('streams what is large, and makes a writer wait for a slow peer', async () => {
    const at = folder()
    writeFileSync(join(at, 'large'), Buffer.alloc(8 << 20, 'abc'))
    let got = 0
    let held: Socket | undefined
    const port = await listen(
      createServer((socket) => {
        held = socket
        socket.on('error', () => {})
        socket.on('data', (bytes) => {
          got += bytes.length
        })
        socket.pause()
      }),
      local,
    )
    const { sandbox, attempt } = await served(
      supervisor,
      way,
      `fs:\n  read: ['${at}/**']\nnet:\n  connect: ['tcp://127.0.0.1:${port}']`,
    )
    await sandbox.exec(`
s = pyisolate.connect(("127.0.0.1", ${port}))
sent = 0
def pump():
    global sent
    with pyisolate.open("${at}/large", "rb") as file:
        while piece := file.read(65536):
            s.sendall(piece)
            sent += len(piece)
    s.shutdown()
thread = threading.Thread(target=pump)
thread.start()
`)
    const sent = () => sandbox.eval<number>('sent')
    let stuck = -1
    for (let at = await sent(); at === 0 || at !== stuck; at = await sent()) {
      stuck = at
      await sandbox.exec('time.sleep(0.5)')
    }
    expect(stuck).toBeLessThan(8 << 20)
    held!.resume()
    await sandbox.exec('thread.join(15)')
    expect(await attempt('sent')).toBe(String(8 << 20))
    await expect.poll(() => got).toBe(8 << 20)
    const { ioBytesIn, ioBytesOut, ioOperations, ioOpen } = sandbox.stats()
    expect([ioBytesIn, ioBytesOut]).toEqual([8 << 20, 8 << 20])
    expect(ioOperations).toBeGreaterThan(200)
    expect(ioOpen).toBe(1)
  })

  it('gives up at a deadline and at an interrupt, and loses nothing by it', async () => {
    const sockets: Socket[] = []
    const port = await listen(
      createServer((socket) => sockets.push(socket.on('error', () => {}))),
      local,
    )
    const { sandbox, attempt } = await served(supervisor, way, `net:\n  connect: ['tcp://127.0.0.1:${port}']`)
    expect(await attempt(`ask(('127.0.0.1', ${port}), timeout=0.05)`)).toBe('TimeoutError ETIMEDOUT')
    await sandbox.exec(`s = pyisolate.connect(("127.0.0.1", ${port}))`)
    await expect(sandbox.eval('s.recv()', { timeout: 100 })).rejects.toMatchObject({ code: 'ERR_PYISOLATE_TIMEOUT' })
    await expect.poll(() => sockets.length).toBe(2)
    sockets[1]!.write('late')
    expect(await attempt('s.recv(2), s.recv()')).toBe("(b'la', b'te')")
    sockets[1]!.end()
    expect(await attempt('s.recv(), s.recv()')).toBe("(b'', b'')")
    await sandbox.exec('s.close()')
    expect(await attempt('s.recv()')).toBe('OSError EBADF')
    expect(sandbox.stats().ioOpen).toBe(0)
  })

  it('keeps limits: of open files, of their size, and closes all at the end', async () => {
    const at = folder()
    let open = 0
    const port = await listen(
      createServer((socket) => {
        open++
        socket.on('error', () => {}).on('close', () => open--)
        socket.resume()
      }),
      local,
    )
    const { sandbox, attempt } = await served(
      supervisor,
      way,
      `fs:\n  read: ['${at}/**']\n  write: ['${at}/**']\nnet:\n  connect: ['tcp://127.0.0.1:${port}']`,
      { limits: { fileSize: '100KiB' } },
    )
    expect(await attempt(`put('${at}/f', 'x' * 102400)`)).toBe('102400')
    expect(await attempt(`put('${at}/f', 'x' * 102401)`)).toBe('OSError EFBIG')
    expect(statSync(join(at, 'f')).size).toBeLessThanOrEqual(102400)
    await sandbox.exec(`many = [pyisolate.connect(("127.0.0.1", ${port})) for _ in range(40)]`)
    await expect.poll(() => open).toBe(40)
    await sandbox.close()
    await expect.poll(() => open).toBe(0)
  })

  it('takes requests that its own guest made up', async () => {
    const { attempt } = await served(supervisor, way, 'fs: {}')
    const raw = (args: string) => attempt(`pyisolate._HostFunction('__io__')(${args})`)
    expect(await raw(`'read', 1, None, 1, 0, 10`)).toBe('[9, None]')
    expect(await raw(`'open', 2, None, 5, 0, 0`)).toBe('[22, None]')
    expect(await raw(`'open', 3, None, '/x', 0x7fffffff, 0`)).toBe('[22, None]')
    expect(await raw(`'open', 4, -1, '/x', 0, 0`)).toBe('[22, None]')
    expect(await raw(`'open', 5, float('nan'), '/x', 0, 0`)).toBe('[22, None]')
    expect(await raw(`'connect', 6, None, 'x' * 999, 1`)).toBe('[36, None]')
    expect(await raw(`'connect', 7, None, '127.0.0.1', 65536`)).toBe('[22, None]')
    expect(await raw(`'nonsense', 8, None`)).toBe('[38, None]')
    expect(await raw(`'send', 10, None, 1, bytes(1 << 20)`)).toBe('[90, None]')
    expect(await raw(`'cancel', 9, None`)).toBe('[0, None]')
    expect(await raw('')).toBe('[22, None]')
  })
})

describe('beside others', () => {
  it('has a thousand streams at once', async () => {
    const port = await listen(echo(), { ...local })
    const rules = policy(`net:\n  connect: ['tcp://127.0.0.1:${port}']`)
    const names = Array.from({ length: 4 }, (_, n) => n)
    const guests = await Promise.all(
      names.map(() => ruled(supervisor, { services: rules, limits: { openFiles: 300 } })),
    )
    await Promise.all(
      guests.map(async ({ sandbox }, n) => {
        await sandbox.exec(
          `${prelude}\nmany = [pyisolate.connect(("127.0.0.1", ${port}), timeout=30) for _ in range(250)]`,
        )
        await sandbox.exec(`for at, s in enumerate(many): s.sendall(b"%d.%d;" % (${n}, at) * 100)`)
        await sandbox.exec(`
for at, s in enumerate(many):
    want = b"%d.%d;" % (${n}, at) * 100
    got = b""
    while len(got) < len(want):
        got += s.recv()
    assert got == want, (at, got)
`)
      }),
    )
    expect(guests.reduce((sum, { sandbox }) => sum + sandbox.stats().ioOpen, 0)).toBe(1000)
  }, 60_000)

  it('lets a guest that reads nothing hold up nobody else', async () => {
    const flood = await listen(
      createServer((socket) => {
        socket.on('error', () => {})
        const pour = () => {
          while (socket.writable && socket.write(Buffer.alloc(65536)));
        }
        socket.on('drain', pour)
        pour()
      }),
      local,
    )
    const port = await listen(echo(), local)
    const rules = policy(`net:\n  connect: ['tcp://127.0.0.1:1-65535']`)
    const slow = await ruled(supervisor, { services: rules })
    await slow.sandbox.exec(`${prelude}\nmany = [pyisolate.connect(("127.0.0.1", ${flood})) for _ in range(20)]`)
    const quick = await ruled(supervisor, { services: rules })
    await quick.sandbox.exec(prelude)
    const start = performance.now()
    for (let n = 0; n < 50; ++n) expect(await quick.attempt(`ask(('127.0.0.1', ${port}))`)).toBe("b'hello'")
    expect(performance.now() - start).toBeLessThan(5000)
  })

  it('judges by the built-in policy where none was given, and refuses what services cannot keep', async () => {
    const { sandbox, attempt, denials } = await ruled(supervisor, {})
    await sandbox.exec(prelude)
    expect(await attempt(`len(get(os.__file__)) > 1000`)).toBe('True')
    expect(await attempt(`get('/etc/passwd')`)).toBe('PermissionError EACCES')
    expect(await attempt(`ask(('127.0.0.1', 1))`)).toBe('PermissionError EACCES')
    expect(denials.map(({ object, policy: name }) => [object, name])).toEqual([
      ['/etc/passwd', 'stdlib.readonly'],
      ['tcp://127.0.0.1:1', 'stdlib.readonly'],
    ])
    const limited = policy('limits:\n  memory: 64MiB')
    await expect(supervisor.spawn('refused', { services: limited })).rejects.toMatchObject({
      code: 'ERR_PYISOLATE_OPTION',
    })
    await expect(
      supervisor.spawn('refused', { services: policy('fs: {}'), policy: policy('fs: {}') }),
    ).rejects.toMatchObject({
      code: 'ERR_PYISOLATE_OPTION',
    })
  })

  it('follows a reload, request by request', async () => {
    const at = folder()
    writeFileSync(join(at, 'a'), 'A')
    linkSync(join(at, 'a'), join(at, 'b'))
    const { sandbox, attempt } = await ruled(supervisor, { policy: policy(`fs:\n  read: ['${at}/a']`) })
    await sandbox.exec(prelude)
    expect(await attempt(`get('${at}/a')`)).toBe("'A'")
    expect(await attempt(`get('${at}/b')`)).toBe('PermissionError EACCES')
    await sandbox.reload(policy(`fs:\n  read: ['${at}/b']`))
    expect(await attempt(`get('${at}/a')`)).toBe('PermissionError EACCES')
    expect(await attempt(`get('${at}/b')`)).toBe("'A'")
  })
})
