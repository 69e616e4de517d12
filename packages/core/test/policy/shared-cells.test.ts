// Sandboxes of one shared cell: each under a policy of its own, on whichever of its threads; what bounds all of them is
// the cell's.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { keeps } from '@pyisolate/test-kit'
import { afterAll, expect, it } from 'vitest'
import { createSupervisor, type SpawnOptions } from '../../src/index.js'
import { folder, policy, type Ruled, ruled } from './support.js'

const supervisor = createSupervisor()
afterAll(() => supervisor.close())

function files(): string {
  const at = folder()
  for (const name of ['a', 'b']) {
    mkdirSync(join(at, name))
    writeFileSync(join(at, name, 'x'), name)
  }
  return at
}

const shared = (cell: string, rules: string, more: SpawnOptions = {}): Promise<Ruled> =>
  ruled(supervisor, { isolation: 'interpreter', cell, policy: policy(rules), ...more })

const threaded = `
import threading
def on_a_thread(source):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(attempt(source)))
    thread.start(); thread.join()
    return answers[0]`

it('each is held to its own policy, its threads included', async ({ task }) => {
  keeps(task, 'fs.read', 'broker', 'each interpreter of a cell by its own')
  const at = files()
  const cell = 'each its own'
  const [a, b] = await Promise.all(
    ['a', 'b'].map((name) => shared(cell, `fs:\n  read: ['${at}/${name}/**']\n  write: ['${at}/${name}/**']`)),
  )
  expect(a!.sandbox.pid).toBe(b!.sandbox.pid)
  for (const [one, own, other] of [
    [a!, 'a', 'b'],
    [b!, 'b', 'a'],
  ] as const) {
    await one.sandbox.exec(threaded)
    for (const call of [one.attempt, (source: string) => one.sandbox.call<string>('on_a_thread', [source])]) {
      expect(await call(`read('${at}/${own}/x')`)).toBe(`'${own}'`)
      expect(await call(`read('${at}/${other}/x')`)).toBe('PermissionError EACCES')
      expect(await call(`write('${at}/${other}/new')`)).toBe('PermissionError EACCES')
    }
    expect(one.denials.every(({ object }) => object.startsWith(join(at, other)))).toBe(true)
  }
})

it('a system call that the policy denies by name is told of the one that made it, on whichever of its threads', async () => {
  const cell = 'denied by name'
  const [one, other] = await Promise.all([1, 2].map(() => shared(cell, 'syscalls:\n  deny: [getppid]')))
  await one!.sandbox.exec(threaded)
  for (const attempt of [one!.attempt, (source: string) => one!.sandbox.call<string>('on_a_thread', [source])]) {
    one!.denials.length = 0
    expect(await attempt('os.getppid()')).toBe('-1') // which has no way to say why
    expect(await one!.denied(({ operation }) => operation === 'call')).toMatchObject({
      object: 'getppid',
      errno: 'EPERM',
    })
  }
  expect(other!.denials).toEqual([])
})

it('a reload reaches the one it is for, threads that run already included, and no other', async () => {
  const at = files()
  const cell = 'one is reloaded'
  const [one, other] = await Promise.all([1, 2].map(() => shared(cell, `fs:\n  read: ['${at}/a/**']`)))
  await one!.sandbox.exec(`
import queue, threading
asked, answered = queue.Queue(), queue.Queue()
def serve():
    while (source := asked.get()) is not None: answered.put(attempt(source))
thread = threading.Thread(target=serve); thread.start()
def old_thread(source):
    asked.put(source)
    return answered.get(timeout=10)`)
  const old = (source: string) => one!.sandbox.call<string>('old_thread', [source])
  expect(await old(`read('${at}/b/x')`)).toBe('PermissionError EACCES')
  await one!.sandbox.reload(policy(`fs:\n  read: ['${at}/b/**']`))
  expect(await old(`read('${at}/b/x')`)).toBe("'b'")
  expect(await old(`read('${at}/a/x')`)).toBe('PermissionError EACCES')
  expect(await other!.attempt(`read('${at}/a/x')`)).toBe("'a'")
  expect(await other!.attempt(`read('${at}/b/x')`)).toBe('PermissionError EACCES')
  await one!.sandbox.exec('asked.put(None); thread.join()')
})

// Descriptors are a process's, and so is memory: neighbours with native code have what each of them has, and no more.
it('what all of them together may reach bounds every one of them, native code included', async () => {
  const at = files()
  mkdirSync(join(at, 'c'))
  writeFileSync(join(at, 'c', 'x'), 'c')
  const [a, b] = await Promise.all(['a', 'b'].map((name) => shared('a union', `fs:\n  read: ['${at}/${name}/**']`)))
  const descriptor = await a!.sandbox.eval<number>(`globals().setdefault('file', open('${at}/a/x')).fileno()`)
  await b!.sandbox.exec(`
import ctypes, threading
libc = ctypes.CDLL(None, use_errno=True)
def by_number(fd):
    text = ctypes.create_string_buffer(1)
    return text.raw.decode() if libc.pread(fd, text, 1, 0) == 1 else ctypes.get_errno()
def natively(path, answers):
    fd = libc.open(path.encode(), 0)
    answers.append(by_number(fd) if fd >= 0 else errno.errorcode[ctypes.get_errno()])
def anywhere(path):
    answers = []
    natively(path, answers)
    thread = threading.Thread(target=natively, args=(path, answers))
    thread.start(); thread.join()
    return answers`)
  const reach = (path: string) => b!.sandbox.call<string[]>('anywhere', [path])
  expect(await reach(`${at}/b/x`)).toEqual(['b', 'b'])
  // By its own thread not even what its neighbour may have; of what that has open it has the number.
  expect(await reach(`${at}/a/x`)).toEqual(['EACCES', 'EACCES'])
  expect(await b!.sandbox.call('by_number', [descriptor])).toBe('a')
  for (const path of [`${at}/c/x`, `${at}/a/../c/x`, '/proc/self/fd/0', '/etc/passwd'])
    for (const answer of await reach(path)) expect([path, answer]).not.toContain('c')
  expect(await reach(`${at}/c/x`)).toEqual(['EACCES', 'EACCES'])
})

it('the end of one leaves the others theirs', async () => {
  const at = files()
  const cell = 'one ends'
  const keeper = await shared(cell, `fs:\n  read: ['${at}/a/**']`)
  for (let round = 0; round < 5; round++) {
    const passing = await shared(cell, `fs:\n  read: ['${at}/b/**']`)
    expect(await passing.attempt(`read('${at}/b/x')`)).toBe("'b'")
    expect(await passing.attempt(`read('${at}/a/x')`)).toBe('PermissionError EACCES')
    await passing.sandbox.close()
    expect(await keeper.attempt(`read('${at}/a/x')`)).toBe("'a'")
    expect(await keeper.attempt(`read('${at}/b/x')`)).toBe('PermissionError EACCES')
  }
})
