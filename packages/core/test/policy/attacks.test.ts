// Ways around a policy: each works where nothing enforces it, and fails where the broker does.

import { createSocket } from 'node:dgram'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createNativeEngine } from '@pyisolate/native'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSupervisor, type Supervisor } from '../../src/index.js'
import { type Attack, kernelAttacks } from './kernel-attacks.js'
import { everywhere, folder, policy, ruled } from './support.js'

const built = (name: string): string => fileURLToPath(new URL(`../../../native/build/Release/${name}`, import.meta.url))
const engine = createNativeEngine({
  executable: built('pyisolate-engine-unconfined'),
  pythonHome: built('python-home.json'),
})
const unconfined = createSupervisor({ engine })
const confined = createSupervisor()
afterAll(async () => {
  await Promise.all([unconfined.close(), confined.close()])
  await engine.close()
})

/** A listener, for datagrams too, and how often somebody reached it. */
async function listener(): Promise<{ readonly port: number; connections: number; close(): void }> {
  const server = hello(() => one.connections++)
  await new Promise<void>((resolve) => server.listen(0, '::', resolve))
  const { port } = server.address() as { port: number }
  const datagrams = createSocket('udp4', (_, { address, port: from }) => {
    one.connections++
    datagrams.send('hello', from, address)
  })
  await new Promise<void>((resolve) => datagrams.bind(port, '127.0.0.1', resolve))
  const close = (): void => {
    server.close()
    datagrams.close()
  }
  const one = { port, connections: 0, close }
  return one
}

function hello(onConnection: () => void): Server {
  return createServer((socket) => {
    onConnection()
    socket.on('error', () => {})
    socket.end('hello')
  })
}

/** What listens on Unix sockets, where a guest has no business. */
async function listenLocally(at: string, port: number, onConnection: () => void): Promise<void> {
  const server = hello(onConnection)
  await new Promise<void>((resolve) => server.listen(join(at, 'secret', 'socket'), resolve))
  onTestFinished(() => void server.close())
  const receiver = await unconfined.spawn(`receiver ${port}`)
  onTestFinished(async () => {
    await receiver.close()
  })
  await receiver.exec(`
import socket
datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); datagrams.bind('${at}/secret/datagrams')
abstract = socket.socket(socket.AF_UNIX); abstract.bind('\\0pyisolate-attack-${process.pid}-${port}'); abstract.listen()`)
}

const allowed = await listener()
afterAll(() => allowed.close())

const native = `
import ctypes, threading, os, socket, struct, time
libc = ctypes.CDLL(None, use_errno=True)
def system_call(number, *args):
    return libc.syscall(ctypes.c_long(number), *args)
`

const loot = "b'loot'"

const attacks: readonly Attack[] = [
  {
    name: 'a symbolic link to what is denied',
    code: (at) => `os.symlink('${at}/secret/x', '${at}/link'); won = open('${at}/link', 'rb').read() == ${loot}`,
  },
  {
    name: 'a chain of symbolic links, relative ones among them',
    code: (at) =>
      `os.symlink('secret', '${at}/l1'); os.symlink('l1/../l1', '${at}/l2'); won = open('${at}/l2/x', 'rb').read() == ${loot}`,
  },
  {
    name: 'a hard link to what is denied',
    code: (at) => `os.link('${at}/secret/x', '${at}/link'); won = open('${at}/link', 'rb').read() == ${loot}`,
  },
  { name: 'dots', code: (at) => `won = open('${at}/a/../secret/./x', 'rb').read() == ${loot}` },
  {
    name: 'a descriptor of a folder, and dots',
    code: (at) => `
fd = os.open('${at}/a', os.O_RDONLY | os.O_DIRECTORY)
won = os.read(os.open('../secret/x', os.O_RDONLY, dir_fd=fd), 9) == ${loot}`,
  },
  {
    name: 'the working directory, and dots',
    code: (at) => `os.chdir('${at}/a'); won = open('../secret/x', 'rb').read() == ${loot}`,
  },
  {
    name: '/proc/self/root',
    code: (at) => `won = open('/proc/self/root${at}/secret/x', 'rb').read() == ${loot}`,
  },
  {
    name: '/proc/self/cwd through a link of its own',
    code: (at) =>
      `os.chdir('${at}'); os.symlink('/proc/self/cwd/secret', '${at}/link'); won = open('${at}/link/x', 'rb').read() == ${loot}`,
  },
  {
    name: 'the environment of the supervisor, by procfs',
    code: () => `won = len(open('/proc/%d/environ' % os.getppid(), 'rb').read()) > 0`,
    rules: 'PROC',
  },
  {
    name: 'renaming the folder of what is denied',
    code: (at) => `os.rename('${at}/secret', '${at}/other'); won = open('${at}/other/x', 'rb').read() == ${loot}`,
  },
  {
    name: 'renaming a folder above it',
    code: (at) =>
      `os.rename('${at}/top', '${at}/other'); won = open('${at}/other/inner/secret/x', 'rb').read() == ${loot}`,
  },
  {
    name: 'renaming what is read-only to where it can be written',
    code: (at) => `os.rename('${at}/readonly', '${at}/a/mine'); won = open('${at}/a/mine', 'w').write('changed') == 7`,
  },
  {
    name: 'writing through a hard link to what is read-only',
    code: (at) => `os.link('${at}/readonly', '${at}/a/mine'); won = open('${at}/a/mine', 'w').write('changed') == 7`,
  },
  {
    name: 'exchanging two names',
    code: (at) => `
os.mkdir('${at}/mine')
won = system_call(316, -100, b'${at}/mine', -100, b'${at}/secret', 2) == 0 and open('${at}/mine/x', 'rb').read() == ${loot}`,
  },
  {
    name: 'a link that is swapped while it is followed',
    code: (at) => `
open('${at}/a/y', 'w').write('fine')
os.symlink('${at}/a/y', '${at}/race')
stop = False
def swap():
    while not stop:
        for target in ('${at}/secret/x', '${at}/a/y'):
            os.symlink(target, '${at}/next'); os.rename('${at}/next', '${at}/race')
thread = threading.Thread(target=swap); thread.start()
won = False
end = time.monotonic() + budget
while not won and time.monotonic() < end:
    try: won = won or open('${at}/race', 'rb').read() == ${loot}
    except OSError: pass
stop = True; thread.join()`,
  },
  {
    name: 'a path that another thread rewrites while it is judged',
    code: (at) => `
path = ctypes.create_string_buffer(b'${at}/a/......y'.replace(b'......y', b'../a/ok'), 4096)
good, bad = b'${at}/a/../a/ok\\0', b'${at}/secret/x\\0'
open('${at}/a/ok', 'w').write('fine')
stop = False
def rewrite():
    while not stop:
        ctypes.memmove(path, bad, len(bad)); ctypes.memmove(path, good, len(good))
thread = threading.Thread(target=rewrite); thread.start()
won = False
end = time.monotonic() + budget
while not won and time.monotonic() < end:
    fd = libc.open(path, 0)
    if fd >= 0:
        won = won or os.read(fd, 9) == ${loot}
        os.close(fd)
stop = True; thread.join()`,
  },
  {
    name: 'an address that another thread rewrites while it is judged',
    code: (_, port) => `
def address(port):
    return struct.pack('=HH4s8x', 2, socket.htons(port), socket.inet_aton('127.0.0.1'))
buffer = ctypes.create_string_buffer(address(${allowed.port}), 16)
good, bad = address(${allowed.port}), address(${port})
stop = False
def rewrite():
    while not stop:
        ctypes.memmove(buffer, bad, 16); ctypes.memmove(buffer, good, 16)
thread = threading.Thread(target=rewrite); thread.start()
won = False
end = time.monotonic() + budget
while not won and time.monotonic() < end:
    s = socket.socket()
    if libc.connect(s.fileno(), buffer, 16) == 0:
        won = won or s.getpeername()[1] == ${port}
    s.close()
stop = True; thread.join()`,
  },
  {
    name: 'connecting by sending: TCP Fast Open',
    code: (_, port) => `
s = socket.socket()
s.sendto(b'x', 0x20000000, ('127.0.0.1', ${port}))
won = s.getpeername()[1] == ${port}`,
  },
  {
    name: 'Fast Open with a message',
    code: (_, port) => `
s = socket.socket()
s.sendmsg([b'x'], [], 0x20000000, ('127.0.0.1', ${port}))
won = s.getpeername()[1] == ${port}`,
  },
  {
    name: 'an IPv4 address mapped into IPv6',
    code: (_, port) => `
s = socket.socket(socket.AF_INET6)
s.connect(('::ffff:127.0.0.1', ${port}))
won = s.recv(5) == b'hello'`,
    rules: `net:\n  connect: ['tcp://[::]/0:*']\n  deny: ['tcp://127.0.0.0/8:*']`,
  },
  {
    name: 'the address of nobody, which is oneself',
    code: (_, port) => `s = socket.create_connection(('0.0.0.0', ${port})); won = s.recv(5) == b'hello'`,
    rules: `net:\n  connect: ['tcp://0.0.0.0/0:*']\n  deny: ['tcp://127.0.0.0/8:*']`,
  },
  {
    name: 'a name that leads inside',
    code: (_, port) => `s = socket.create_connection(('localhost', ${port})); won = s.recv(5) == b'hello'`,
    rules: `net:\n  connect: ['tcp://*:*']\n  deny: ['tcp://127.0.0.0/8:*', 'tcp://[::1]:*']\n  dns: ['*']`,
  },
  {
    name: 'a datagram to another address on a socket that has a peer',
    code: () => `
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(('127.0.0.1', 9))
won = s.sendto(b'x', ('127.0.0.2', 9)) == 1`,
    rules: `net:\n  connect: ['udp://127.0.0.1:9']\n  sendto: ['udp://127.0.0.1:9']`,
  },
  // Source routes are root's to set (CAP_NET_RAW): for others there is nothing to try.
  ...(process.getuid?.() === 0
    ? [
        {
          name: 'a route of one’s own: IP_OPTIONS',
          code: () => `
s = socket.socket()
s.setsockopt(0, 4, bytes([131, 7, 4, 127, 0, 0, 2, 0]))
won = True`,
        },
      ]
    : []),
  {
    name: 'socket buffers beyond the memory limit',
    code: () => 's = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20); won = True',
  },
  {
    name: 'descriptors by a message',
    code: () => `
a, b = socket.socketpair()
socket.send_fds(a, [b'x'], [0])
won = len(socket.recv_fds(b, 9, 9)[1]) == 1`,
  },
  {
    name: 'many messages at once',
    code: () => `
a, b = socket.socketpair()
class Message(ctypes.Structure):
    _fields_ = [('head', ctypes.c_byte * 64)]
won = system_call(307, a.fileno(), ctypes.byref(Message()), 1, 0) == 1`,
  },
  {
    name: 'listening without a name',
    code: () => `s = socket.socket(); s.listen(); won = s.getsockname()[1] > 0`,
  },
]

describe.each(everywhere)('in %s isolation', (isolation) => {
  it.each([...attacks, ...kernelAttacks].map((attack) => [attack.name, attack] as const))('%s', async (_, attack) => {
    if (attack.only !== undefined && attack.only !== isolation) return
    const outcome = async (supervisor: Supervisor): Promise<{ won: unknown; error: string; reached: number }> => {
      const at = folder()
      for (const one of ['a', 'secret', 'top/inner/secret']) mkdirSync(join(at, one), { recursive: true })
      for (const one of ['secret/x', 'top/inner/secret/x']) writeFileSync(join(at, one), 'loot')
      writeFileSync(join(at, 'readonly'), 'as it is')
      const forbidden = await listener()
      onTestFinished(() => forbidden.close())
      await listenLocally(at, forbidden.port, () => forbidden.connections++)
      const net = `net:\n  connect: ['tcp://127.0.0.1:${allowed.port}']\n`
      const names = ['link', 'l1', 'l2', 'race', 'next', 'other/**', 'mine/**', 'a/**', 'top/**']
      const files = `
fs:
  read: ['${at}/**'${attack.rules === 'PROC' ? ", '/**'" : ''}]
  write: [${names.map((name) => `'${at}/${name}'`).join(', ')}]
  deny: ['${at}/secret/**', '${at}/top/inner/secret/**']
`
      const rules = attack.rules === undefined || attack.rules === 'PROC' ? net : attack.rules
      const { sandbox } = await ruled(supervisor, { isolation, policy: policy(`${files}${rules}`) })
      // Races take as long as they need to be won; where they can't be, a while has to do.
      await sandbox.exec(`${native}\nbudget = ${supervisor === unconfined ? 15 : 1}`)
      const error = await sandbox.exec(attack.code(at, forbidden.port), { timeout: 20_000 }).then(
        () => '',
        (thrown: Error) => thrown.message,
      )
      const won = await sandbox.eval(`globals().get('won', False)`)
      await sandbox.close()
      return { won, error, reached: forbidden.connections }
    }
    const free = await outcome(unconfined)
    expect(free, 'where nothing enforces the policy').toMatchObject({ won: true })
    const held = await outcome(confined)
    expect(held).toMatchObject({ won: false, reached: 0 })
  })
})
