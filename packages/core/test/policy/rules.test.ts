// Every kind of rule that the broker keeps, on this very kernel: what is allowed works, what isn't fails with the plain
// error, and an event says why.

import { createSocket } from 'node:dgram'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSupervisor } from '../../src/index.js'
import { everywhere, folder, policy, ruled } from './support.js'

const supervisor = createSupervisor()
afterAll(() => supervisor.close())

async function listen(server: Server, where: { port: number; host: string } | { path: string }): Promise<number> {
  await new Promise<void>((resolve) => server.listen(where, resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const greeter = (): Server => createServer((socket) => socket.on('error', () => {}).end('hello'))
const dial = (address: string): string => `(s := socket.create_connection(${address}, 5)).recv(5)`

describe.each(everywhere)('in %s isolation', (isolation) => {
  it('fs.read: a subtree, a file, and not what is beside them', async () => {
    const at = folder()
    mkdirSync(join(at, 'open'))
    writeFileSync(join(at, 'open', 'a'), 'A')
    writeFileSync(join(at, 'one'), 'B')
    writeFileSync(join(at, 'other'), 'C')
    const { attempt, denied } = await ruled(supervisor, {
      isolation,
      policy: policy(`fs:\n  read: ['${at}/open/**', '${at}/one']`),
    })
    expect(await attempt(`read('${at}/open/a'), read('${at}/one')`)).toBe("('A', 'B')")
    expect(await attempt(`sorted(os.listdir('${at}/open'))`)).toBe("['a']")
    expect(await attempt(`read('${at}/other')`)).toBe('PermissionError EACCES')
    expect(await attempt(`write('${at}/open/a')`)).toBe('PermissionError EACCES')
    expect(await attempt(`os.listdir('${at}')`)).toBe('PermissionError EACCES')
    expect(await denied(({ object }) => object === join(at, 'other'))).toMatchObject({
      operation: 'read',
      rule: undefined,
      policy: 'test',
      generation: 1,
      errno: 'EACCES',
    })
    await denied(({ object, operation }) => object === join(at, 'open', 'a') && operation === 'write')
  })

  it('what may be known: ancestors of what is ruled, and nothing of the rest', async () => {
    const at = folder()
    mkdirSync(join(at, 'a', 'b'), { recursive: true })
    writeFileSync(join(at, 'secret'), '')
    const { attempt } = await ruled(supervisor, { isolation, policy: policy(`fs:\n  read: ['${at}/a/b/**']`) })
    expect(await attempt(`os.path.isdir('${at}/a'), os.path.isdir('${at}')`)).toBe('(True, True)')
    expect(await attempt(`os.stat('${at}/secret')`)).toBe('PermissionError EACCES')
    expect(await attempt(`os.stat('${at}/nothing')`)).toBe('PermissionError EACCES')
    expect(await attempt(`os.stat('${at}/a/b/nothing')`)).toBe('FileNotFoundError ENOENT')
    expect(await attempt(`read('${at}/a/b/nothing')`)).toBe('FileNotFoundError ENOENT')
    expect(await attempt(`os.access('${at}/a/b', os.R_OK), os.access('${at}/a/b', os.W_OK)`)).toBe('(True, False)')
  })

  it('fs.write: makes, changes, renames and removes, as one would without a broker', async () => {
    const at = folder()
    const { sandbox, attempt } = await ruled(supervisor, {
      isolation,
      policy: policy(`fs:\n  read: ['${at}/**']\n  write: ['${at}/**']`),
    })
    await sandbox.exec(`
import os
os.makedirs('${at}/d/e', exist_ok=True)
os.makedirs('${at}/d/e', exist_ok=True)
with open('${at}/d/x', 'w') as file:
    file.write('0123456789')
os.truncate('${at}/d/x', 4)
os.rename('${at}/d/x', '${at}/d/y')
os.symlink('y', '${at}/d/link')
os.link('${at}/d/y', '${at}/d/z')
os.chmod('${at}/d/z', 0o600) if '${isolation}' == 'process' else None
os.utime('${at}/d/z', (1, 2))
assert os.stat('${at}/d/z').st_mtime == 2 and os.path.samefile('${at}/d/z', '${at}/d/link')
assert os.readlink('${at}/d/link') == 'y' and os.lstat('${at}/d/link').st_size == 1
assert os.path.realpath('${at}/d/link') == '${at}/d/y'
os.unlink('${at}/d/z')
os.rmdir('${at}/d/e')
with open('${at}/d/new', 'x') as file:
    pass
import pathlib, shutil, tempfile
pathlib.Path('${at}/d/p').write_text('text')
shutil.copyfile('${at}/d/p', '${at}/d/q')
os.chdir('${at}/d')
assert os.getcwd() == '${at}/d' and open('q').read() == 'text'
os.mkdir('sub'); os.chdir('sub'); os.chdir('..')
assert os.getcwd() == '${at}/d'
`)
    expect(await attempt(`sorted(os.listdir('${at}/d'))`)).toBe("['link', 'new', 'p', 'q', 'sub', 'y']")
    expect(await attempt(`open('${at}/d/new', 'x')`)).toBe('FileExistsError EEXIST')
    expect(await attempt(`os.rmdir('${at}/d')`)).toBe('OSError ENOTEMPTY')
    expect(await attempt(`os.mkdir('${at}/d')`)).toBe('FileExistsError EEXIST')
    expect(readFileSync(join(at, 'd', 'y'), 'utf8')).toBe('0123')
  })

  it('fs.deny wins, below what is allowed and above it', async () => {
    const at = folder()
    mkdirSync(join(at, 'in', 'inner'), { recursive: true })
    writeFileSync(join(at, 'in', 'inner', 'x'), 'X')
    writeFileSync(join(at, 'ok'), 'Y')
    const { attempt, denied } = await ruled(supervisor, {
      isolation,
      policy: policy(`fs:\n  read: ['${at}/**']\n  write: ['${at}/**']\n  deny: ['${at}/in/**']`),
    })
    expect(await attempt(`read('${at}/ok')`)).toBe("'Y'")
    for (const call of ['read', 'write', 'os.listdir', 'os.stat', 'os.unlink'])
      expect(await attempt(`${call}('${at}/in/inner/x')`), call).toMatch(/^PermissionError EACCES/)
    expect(await attempt(`os.rename('${at}/in', '${at}/out')`)).toBe('PermissionError EACCES')
    const denial = await denied(({ operation }) => operation === 'read')
    expect(denial.rule).toMatchObject({ section: 'fs.deny', text: `${at}/in/**`, file: 'test.yaml', line: 7 })
  })

  it('net.connect: an address and its ports', async () => {
    const port = await listen(greeter(), { port: 0, host: '127.0.0.1' })
    const other = await listen(greeter(), { port: 0, host: '127.0.0.1' })
    const { attempt, denied } = await ruled(supervisor, {
      isolation,
      policy: policy(`net:\n  connect: ['tcp://127.0.0.1:${port}']`),
    })
    expect(await attempt(dial(`('127.0.0.1', ${port})`))).toBe("b'hello'")
    expect(await attempt(dial(`('127.0.0.1', ${other})`))).toBe('PermissionError EACCES')
    expect(await denied(({ operation }) => operation === 'connect')).toMatchObject({
      object: `tcp://127.0.0.1:${other}`,
      errno: 'EACCES',
    })
    expect(await attempt(dial(`('127.0.0.1', ${port})`))).toBe("b'hello'")
  })

  it('net.connect over IPv6, refused connections and blocked ones as plain errors', async () => {
    const port = await listen(greeter(), { port: 0, host: '::1' })
    const { attempt } = await ruled(supervisor, {
      isolation,
      policy: policy(`net:\n  connect: ['tcp://[::1]:*']`),
    })
    expect(await attempt(dial(`('::1', ${port})`))).toBe("b'hello'")
    expect(await attempt(dial(`('::1', 1)`))).toBe('ConnectionRefusedError ECONNREFUSED')
    expect(
      await attempt(
        `(s := socket.socket(socket.AF_INET6), s.setblocking(False), s.connect_ex(('::1', ${port})))[2] in (0, 115)`,
      ),
    ).toBe('True')
  })

  it('net.bind: listens where it may, and is reached', async () => {
    const { sandbox, attempt, denied } = await ruled(supervisor, {
      isolation,
      policy: policy(`net:\n  bind: ['tcp://127.0.0.1:*']\n  connect: ['tcp://127.0.0.1:*']`),
    })
    await sandbox.exec(`
server = socket.create_server(('127.0.0.1', 0))
client = socket.create_connection(server.getsockname())
peer, _ = server.accept()
peer.sendall(b'through')
assert client.recv(100) == b'through'
peer.sendmsg([b'in ', b'pieces'])
assert client.recv(100) == b'in pieces'
`)
    expect(await attempt(`socket.create_server(('0.0.0.0', 0))`)).toBe('PermissionError EACCES')
    expect(await attempt(`(s := socket.socket(), s.listen())`)).toBe('PermissionError EACCES')
    await denied(({ operation, object }) => operation === 'bind' && object === 'tcp://0.0.0.0:0')
  })

  it('net.sendto: datagrams to whom they may go', async () => {
    const server = createSocket('udp4')
    onTestFinished(() => void server.close())
    const got = new Promise<string>((resolve) => server.once('message', (message) => resolve(String(message))))
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
    const { port } = server.address()
    const { attempt, denied } = await ruled(supervisor, {
      isolation,
      policy: policy(`net:\n  sendto: ['udp://127.0.0.1:${port}']`),
    })
    const udp = 's := socket.socket(socket.AF_INET, socket.SOCK_DGRAM)'
    expect(await attempt(`(${udp}).sendto(b'ping', ('127.0.0.1', ${port}))`)).toBe('4')
    expect(await got).toBe('ping')
    expect(await attempt(`(${udp}).sendto(b'ping', ('127.0.0.1', ${port === 1 ? 2 : 1}))`)).toBe(
      'PermissionError EACCES',
    )
    expect(await attempt(`(${udp}).sendmsg([b'ping'], [], 0, ('127.0.0.2', ${port}))`)).toBe('PermissionError EACCES')
    expect(await attempt(`(${udp}).connect(('127.0.0.1', ${port}))`)).toBe('PermissionError EACCES')
    await denied(({ operation, object }) => operation === 'sendto' && object === `udp://127.0.0.2:${port}`)
  })

  it('Unix sockets by path and by abstract name', async () => {
    const at = folder()
    await listen(greeter(), { path: join(at, 'yes') })
    await listen(greeter(), { path: join(at, 'no') })
    const { attempt, denied } = await ruled(supervisor, {
      isolation,
      policy: policy(
        `net:\n  connect: ['unix://${at}/yes', 'unix://@pyisolate-${process.pid}']\n  bind: ['unix://${at}/own']`,
      ),
    })
    const unix = '(s := socket.socket(socket.AF_UNIX))'
    expect(await attempt(`(${unix}.connect('${at}/yes'), s.recv(5))[1]`)).toBe("b'hello'")
    expect(await attempt(`${unix}.connect('${at}/no')`)).toBe('PermissionError EACCES')
    expect(await attempt(`${unix}.connect('\\0other')`)).toBe('PermissionError EACCES')
    expect(await attempt(`${unix}.connect('\\0pyisolate-${process.pid}')`)).toBe('ConnectionRefusedError ECONNREFUSED')
    expect(await attempt(`(${unix}.bind('${at}/own'), s.listen())`)).toBe('(None, None)')
    expect(await attempt(`${unix}.bind('${at}/other')`)).toBe('PermissionError EACCES')
    await denied(({ object }) => object === `unix://${at}/no`)
  })

  it('net.dns and rules by name: what the supervisor resolved, and no other address', async () => {
    const port = await listen(greeter(), { port: 0, host: '127.0.0.1' })
    const { attempt, denied } = await ruled(supervisor, {
      isolation,
      policy: policy(`net:\n  connect: ['tcp://localhost:${port}']\n  dns: [localhost]`),
    })
    expect(await attempt(dial(`('127.0.0.1', ${port})`))).toBe('PermissionError EACCES')
    expect(await attempt(dial(`('localhost', ${port})`))).toBe("b'hello'")
    expect(await attempt(dial(`('127.0.0.1', ${port})`))).toBe("b'hello'")
    expect(await attempt(`socket.getaddrinfo('example.org', 80)`)).toMatch(/^gaierror/)
    await denied(({ operation, object }) => operation === 'resolve' && object === 'example.org')
  })

  it('sockets of kinds that no rule is about are not made', async () => {
    const { attempt, denied } = await ruled(supervisor, {
      isolation,
      policy: policy(`net:\n  connect: ['tcp://127.0.0.1:1']`),
    })
    for (const kind of ['AF_INET, socket.SOCK_DGRAM', 'AF_INET, socket.SOCK_RAW, 1', 'AF_UNIX'])
      expect(await attempt(`socket.socket(socket.${kind})`), kind).toBe('PermissionError EACCES')
    for (const kind of ['AF_NETLINK, 3', 'AF_PACKET, 3', 'AF_VSOCK'])
      expect(await attempt(`socket.socket(socket.${kind})`), kind).toBe('PermissionError EPERM')
    expect(await attempt(`socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)`)).toBe('OSError EPROTONOSUPPORT')
    await denied(({ object }) => object === 'udp socket')
    await denied(({ object }) => object === 'socket of another kind')
  })

  it('limits.fileSize: no file grows beyond it', async () => {
    if (isolation === 'interpreter') return
    const at = folder()
    const { attempt } = await ruled(supervisor, {
      isolation,
      policy: policy(`fs:\n  write: ['${at}/**']\nlimits:\n  fileSize: 1000B`),
    })
    expect(await attempt(`write('${at}/x', 'x' * 1000)`)).toBe('1000')
    expect(await attempt(`write('${at}/x', 'x' * 1001)`)).toBe('OSError EFBIG')
  })

  it('limits.messages: one more ends it', async () => {
    const { sandbox } = await ruled(supervisor, { isolation, policy: policy('limits:\n  messages: 3') })
    await sandbox.exec('for i in range(3): post(i)')
    await sandbox.exec('post(4)').catch(() => {})
    expect(await sandbox.closed).toMatchObject({ kind: 'messages', count: 3 })
  })

  it('imports: said plainly', async () => {
    const { attempt } = await ruled(supervisor, { isolation, policy: policy('imports:\n  deny: [ctypes, json.tool]') })
    expect(await attempt(`__import__('ctypes')`)).toBe('ImportError the policy test denies to import ctypes')
    expect(await attempt(`__import__('importlib').import_module('ctypes.util')`)).toMatch(
      /^ImportError the policy test denies/,
    )
    expect(await attempt(`__import__('json').loads('1')`)).toBe('1')
  })

  it('imports with a list: nothing else, but what those import themselves', async () => {
    const { attempt } = await ruled(supervisor, {
      isolation,
      policy: policy('imports:\n  allow: [decimal, json, errno, os, socket]'),
    })
    expect(await attempt(`__import__('decimal').Decimal(1)`)).toBe("Decimal('1')")
    expect(await attempt(`__import__('csv')`)).toBe('ImportError the policy test does not allow to import csv')
  })

  it('links of any kind lead to what they lead to, judged there', async () => {
    const at = folder()
    mkdirSync(join(at, 'yes'))
    mkdirSync(join(at, 'no'))
    writeFileSync(join(at, 'no', 'x'), 'X')
    writeFileSync(join(at, 'yes', 'y'), 'Y')
    symlinkSync(join(at, 'no', 'x'), join(at, 'yes', 'out'))
    symlinkSync(join(at, 'yes', 'y'), join(at, 'no', 'in'))
    const { attempt } = await ruled(supervisor, { isolation, policy: policy(`fs:\n  read: ['${at}/yes/**']`) })
    expect(await attempt(`read('${at}/yes/out')`)).toBe('PermissionError EACCES')
    expect(await attempt(`read('${at}/no/in')`)).toBe("'Y'")
    expect(await attempt(`os.readlink('${at}/yes/out')`)).toBe(`'${at}/no/x'`)
    expect(await attempt(`os.open('${at}/yes/out', os.O_NOFOLLOW)`)).toBe('OSError ELOOP')
  })
})

it('/dev/null is there for everybody', async () => {
  const { attempt } = await ruled(supervisor, { policy: policy('fs: {}') })
  expect(await attempt(`(write(os.devnull, 'x'), read(os.devnull))`)).toBe("(1, '')")
})
