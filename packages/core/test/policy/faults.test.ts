// What goes on around the broker: guests that flood it, calls that don't end, and the end of the supervisor itself.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run, runSource, until } from '@pyisolate/test-kit'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSupervisor } from '../../src/index.js'
import { everywhere, folder, policy, ruled } from './support.js'

const supervisor = createSupervisor()
afterAll(() => supervisor.close())

/** A listener whose queue is full: a connection to it waits for ever. */
async function deaf(): Promise<number> {
  const { sandbox } = await ruled(supervisor, {
    policy: policy(`net:\n  bind: ['tcp://127.0.0.1:*']\n  connect: ['tcp://127.0.0.1:*']`),
  })
  return sandbox
    .exec(
      `
server = socket.socket(); server.bind(('127.0.0.1', 0)); server.listen(0)
clients = []
for i in range(3):
    client = socket.socket(); client.setblocking(False); client.connect_ex(server.getsockname()); clients.append(client)`,
    )
    .then(() => sandbox.eval<number>('server.getsockname()[1]'))
}

describe.each(everywhere)('in %s isolation', (isolation) => {
  it('a connection that nobody answers is interrupted at the call’s deadline, and holds up nobody', async () => {
    const port = await deaf()
    const rules = policy(`net:\n  connect: ['tcp://127.0.0.1:${port}']`)
    const stuck = await ruled(supervisor, { isolation, policy: rules })
    const other = await ruled(supervisor, { isolation, policy: rules })
    const waiting = stuck.sandbox.exec(`socket.socket().connect(('127.0.0.1', ${port}))`, { timeout: 700 })
    waiting.catch(() => {})
    expect(await other.attempt('os.getcwd()')).toBe("'/'")
    const error = await waiting.catch((thrown: Error & { outcome?: unknown }) => thrown)
    expect(error).toMatchObject({ name: 'TimeoutError' })
    // There CPython waits on in poll(2), where no signal comes: the sandbox is ended.
    if (isolation === 'interpreter') return expect(await stuck.sandbox.closed).toMatchObject({ kind: 'timeout' })
    expect(error).toMatchObject({ outcome: undefined })
    expect(await stuck.attempt('1 + 1')).toBe('2')
  })

  it('a pipe that nobody writes to holds up nobody', async () => {
    const at = folder()
    execFileSync('mkfifo', [join(at, 'pipe')])
    const rules = policy(`fs:\n  read: ['${at}/**']\n  write: ['${at}/**']`)
    const { sandbox, attempt } = await ruled(supervisor, { isolation, policy: rules })
    expect(await attempt(`os.close(os.open('${at}/pipe', os.O_RDONLY))`)).toBe('None')
    expect(await attempt(`os.open('${at}/pipe', os.O_WRONLY)`)).toBe('OSError ENXIO')
    // Nor does the supervisor keep an end of it for a moment longer than the guest.
    await sandbox.exec(`
def unread():
    os.close(os.open('${at}/pipe', os.O_RDONLY))
    return attempt("os.open('${at}/pipe', os.O_WRONLY)")
answers = {unread() for i in range(300)}`)
    expect(await attempt('answers')).toBe(`{'OSError ENXIO'}`)
    await sandbox.exec(`
a, b = os.open('${at}/pipe', os.O_RDWR), None
os.write(a, b'through')`)
    expect(await attempt('os.read(a, 7)')).toBe("b'through'")
  })

  it('a guest that floods the broker is slowed alone', async () => {
    const at = folder()
    writeFileSync(join(at, 'x'), 'X')
    const rules = policy(`fs:\n  read: ['${at}/**']`)
    const flood = await ruled(supervisor, { isolation, policy: rules })
    const calm = await ruled(supervisor, { isolation, policy: rules })
    await flood.sandbox.exec(`
import threading
stop = threading.Event()
done = 0
def pour():
    global done
    while not stop.is_set():
        try: open('/etc/passwd')
        except OSError: done += 1
threads = [threading.Thread(target=pour) for i in range(8)]
for thread in threads: thread.start()`)
    expect(await calm.attempt(`len([read('${at}/x') for i in range(500)])`)).toBe('500')
    await flood.sandbox.exec('stop.set()\nfor thread in threads: thread.join()')
    expect(await flood.sandbox.eval('done > 100')).toBe(true)
    // What it was denied is cut, and the rest is counted.
    expect(flood.denials.length).toBeLessThan(2000)
    await flood.attempt(`open('/etc/shadow')`)
  })

  it('leaves nothing behind: no descriptor of this process, no scratch folder', async () => {
    const count = (): number => readdirSync('/proc/self/fd').length
    const rules = policy('fs:\n  read: [$TMP/**]\n  write: [$TMP/**]')
    const first = await ruled(supervisor, { isolation, policy: rules })
    await first.sandbox.close()
    const before = count()
    const scratches: string[] = []
    for (let i = 0; i < 10; i++) {
      const { sandbox, attempt } = await ruled(supervisor, { isolation, policy: rules })
      const scratch = await sandbox.eval<string>(`(__import__('tempfile').gettempdir(), os.environ['TMPDIR'])[0]`)
      expect(await attempt(`write('${scratch}/x')`)).toBe('1')
      scratches.push(scratch)
      await sandbox.close()
    }
    expect(new Set(scratches).size).toBe(10)
    await until(() => scratches.every((scratch) => !existsSync(scratch)))
    await until(() => count() <= before + 4)
  })

  it('no descriptor of the listener stays with the guest', async () => {
    const { sandbox } = await ruled(supervisor, { isolation, policy: policy('fs: {}') })
    const code = `
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
# SECCOMP_IOCTL_NOTIF_ID_VALID answers EINVAL or ENOTTY for all but a listener; here it isn't even allowed to be asked.
found = [fd for fd in range(256) if libc.fcntl(fd, 1) >= 0]`
    await sandbox.exec(code)
    const found = await sandbox.eval<number[]>('found')
    const links = found.map((fd) => {
      try {
        return readlinkSync(`/proc/${sandbox.pid}/fd/${fd}`)
      } catch {
        return 'unreadable'
      }
    })
    expect(links.filter((link) => link.includes('seccomp'))).toEqual([])
    // Nor can it make one of its own: a thread has one listener at most (EBUSY), and no other filter is let through.
    await sandbox.exec(`
import struct
code = ctypes.create_string_buffer(struct.pack('=HBBI', 6, 0, 0, 0x7fff0000))
class Program(ctypes.Structure):
    _fields_ = [('length', ctypes.c_ushort), ('filter', ctypes.c_void_p)]
program = Program(1, ctypes.addressof(code))
answers = []
for flags in (0, 8, 8 | 32):
    ctypes.set_errno(0)
    answers.append((libc.syscall(ctypes.c_long(317), 1, flags, ctypes.byref(program)), ctypes.get_errno()))`)
    const answers = await sandbox.eval<[number, number][]>('answers')
    expect(answers.map(([result]) => result)).toEqual([-1, -1, -1])
    expect(answers.every(([, errno]) => errno === 1 || errno === 16)).toBe(true)
  })
})

it('a supervisor that is killed while it makes a call takes the sandbox along', async () => {
  const port = await deaf()
  const script = `
    import { createSupervisor } from '@pyisolate/core'
    import { compilePolicy } from '@pyisolate/policy'
    const supervisor = createSupervisor()
    const policy = compilePolicy("version: 1\\nextends: stdlib.readonly\\nnet: {connect: ['tcp://127.0.0.1:${port}']}")
    const sandbox = await supervisor.spawn('stuck', { policy })
    sandbox.exec("import socket; socket.socket().connect(('127.0.0.1', ${port}))").catch(() => {})
    console.log(sandbox.pid)
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), 300)
    setInterval(() => {}, 1000)
  `
  const { stdout, signal } = await run(process.execPath, ['--input-type=module', '-e', script], {
    cwd: new URL('../..', import.meta.url).pathname,
    timeout: 20_000,
  })
  expect(signal).toBe('SIGKILL')
  const pid = Number(stdout.trim())
  expect(pid).toBeGreaterThan(1)
  await until(() => !existsSync(`/proc/${pid}`))
})

it('servers and clients of one sandbox’s own, with many threads at once', async () => {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as { port: number }
  const { sandbox } = await ruled(supervisor, {
    policy: policy(`net:\n  connect: ['tcp://127.0.0.1:${port}']\nlimits:\n  threads: 32\n  openFiles: 200`),
  })
  await sandbox.exec(
    `
import threading
bad = []
def talk(number):
    for i in range(20):
        with socket.create_connection(('127.0.0.1', ${port}), 10) as s:
            text = f'{number}:{i}'.encode() * 100
            s.sendall(text)
            got = b''
            while len(got) < len(text): got += s.recv(65536)
            if got != text: bad.append(number)
threads = [threading.Thread(target=talk, args=(n,)) for n in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()`,
    { timeout: 30_000 },
  )
  expect(await sandbox.eval('bad')).toEqual([])
})

it('a cell that offers no listener refuses its own spawn, and harms nobody', async () => {
  const built = (name: string) => fileURLToPath(new URL(`../../../native/build/Release/${name}`, import.meta.url))
  // In a process of its own, as what is looked for is the end of the supervisor: an engine whose cells name a
  // descriptor that they don't have, as a guest of a shared cell could have a neighbour's do.
  const { stdout, signal } = await runSource(`
    import { createSupervisor } from '@pyisolate/core'
    import { createNativeEngine } from '@pyisolate/native'
    const engine = createNativeEngine({
      executable: ${JSON.stringify(built('pyisolate-fake-engine'))},
      pythonHome: { prefix: '/usr', stdlib: '/usr/lib' },
      pool: 0,
    })
    const spawn = (request) => engine.spawn({ ...request, preload: ['fake:no-listener'] })
    const get = (_, name) => (name === 'spawn' ? spawn : engine[name]?.bind?.(engine) ?? engine[name])
    const supervisor = createSupervisor({ engine: new Proxy(engine, { get }) })
    await supervisor.spawn('one', { policy: ${JSON.stringify(policy(''))} }).catch((error) => console.log(error.code, error.message))
    console.log(engine.stats().sandboxes)`)
  expect({ stdout, signal }).toEqual({
    stdout: expect.stringMatching(/^ERR_PYISOLATE_SPAWN .*pidfd_getfd.*\n0\n$/s),
    signal: null,
  })
})
