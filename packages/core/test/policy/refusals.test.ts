// Limits that refuse a guest something while it lives on: told where that becomes an exception, caught or not.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createSupervisor, type Denial } from '../../src/index.js'
import { everywhere, folder, policy, type Ruled, ruled } from './support.js'

const supervisor = createSupervisor()
afterAll(() => supervisor.close())

const isLimit = ({ operation }: Denial): boolean => operation === 'limit'
/** What a catching guest does, until its limit has been told so often. */
async function repeatedly({ sandbox, denials }: Ruled, code: string, times: number): Promise<Denial[]> {
  const told = (): Denial[] => denials.filter(isLimit)
  const end = Date.now() + 15_000
  while (told().length < times && Date.now() < end) await sandbox.exec(code)
  return told()
}

describe.each(everywhere)('in %s isolation', (isolation) => {
  it('a lack of memory is told at once, while the guest that catches it goes on and holds it all', async () => {
    const it = await ruled(supervisor, { isolation, policy: policy('limits: {memory: 48MiB}') })
    const running = it.sandbox.exec(`
hold, size = [], 1 << 22
while size > 64:
    try:
        while True: hold.append(bytes(size))
    except MemoryError: size //= 2
while True: pass`)
    const ended = expect(running).rejects.toThrow(/KeyboardInterrupt|MemoryError/)
    const told = await it.denied(isLimit)
    expect(told).toMatchObject({ object: 'memory', errno: 'MemoryError', toldBy: 'guest', lost: expect.any(Number) })
    it.sandbox.interrupt()
    await ended
  })

  it('what comes too fast is told once a second, and how much was left out', async () => {
    const it = await ruled(supervisor, { isolation, policy: policy('limits: {memory: 48MiB}') })
    await it.sandbox.exec(`
met = 0
def meet():
    global met
    try: bytearray(1 << 28)
    except MemoryError: met += 1`)
    const told = await repeatedly(it, 'for i in range(50): meet()', 2)
    expect(told.length).toBe(2)
    const left = told.reduce((sum, { lost }) => sum + lost, 0)
    expect(left).toBeGreaterThan(0)
    expect(told.length + left).toBeLessThanOrEqual(await it.sandbox.eval<number>('met'))
  })

  it('an exception that is caught, and raised on later, is told once', async () => {
    const it = await ruled(supervisor, { isolation, policy: policy('limits: {threads: 2}') })
    const start = `
import threading, time
hold = threading.Event()
try:
    for i in range(9): threading.Thread(target=hold.wait).start()
except RuntimeError as error: caught = error
finally: hold.set()
end = time.monotonic() + 1.1
while time.monotonic() < end: pass
raise caught`
    await expect(it.sandbox.exec(start)).rejects.toThrow(/start new thread/)
    expect(it.denials.filter(isLimit)).toMatchObject([{ object: 'threads', errno: 'RuntimeError', lost: 0 }])
  })
})

it('descriptors that the broker has no room for are told by it, and not by the guest as well', async () => {
  const at = folder()
  writeFileSync(join(at, 'x'), 'x')
  const it = await ruled(supervisor, { policy: policy(`fs: {read: ['${at}/**']}\nlimits: {openFiles: 32}`) })
  await it.sandbox.exec('files = []')
  const open = `
try:
    while True: files.append(open('${at}/x'))
except OSError as error: assert error.errno == errno.EMFILE`
  const told = await repeatedly(it, open, 2)
  const rule = { section: 'limits.openFiles', text: '32', line: 5 }
  for (const one of told)
    expect(one).toMatchObject({ object: 'openFiles', errno: 'EMFILE', toldBy: 'supervisor', rule })
  expect(told[1]!.lost).toBeGreaterThan(0)
})

it('a file that would grow by the broker’s hand is told by it', async () => {
  const at = folder()
  writeFileSync(join(at, 'x'), 'x')
  const it = await ruled(supervisor, { policy: policy(`fs: {write: ['${at}/**']}\nlimits: {fileSize: 10B}`) })
  expect(await it.attempt(`os.truncate('${at}/x', 5)`)).toBe('OSError EFBIG')
  expect(await it.denied(isLimit)).toMatchObject({ object: 'fileSize', errno: 'EFBIG', toldBy: 'supervisor' })
})
