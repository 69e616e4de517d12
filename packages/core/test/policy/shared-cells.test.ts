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
