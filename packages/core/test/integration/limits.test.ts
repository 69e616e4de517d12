import { isAlive } from '@pyisolate/test-kit'
import { describe, expect, it } from 'vitest'
import { everywhere, rejection, sandbox, timeOf } from './support.js'

/** A deadline, and what the issue of it may take on a machine that does other things as well. */
const deadline = 300
const within = deadline + 250

describe.each(everywhere)('limits in %s isolation', (isolation) => {
  it('memory: MemoryError, and the guest lives on', async () => {
    const demo = await sandbox({ isolation, limits: { memory: '64MiB' } })
    for (const code of [
      'bytearray(10**9)',
      '[0] * 10**9',
      'x = []\nwhile True: x.append(bytes(10**6))',
      'x = []\nwhile True: x.append(bytes(1000))',
      'x = "a"\nwhile True: x += x',
    ]) {
      expect(await rejection(demo.exec(code))).toMatchObject({ type: 'MemoryError' })
      await demo.exec('x = None')
    }
    expect(await demo.eval('sum(range(1000))')).toBe(499_500)
  })

  it('memory: a guest that holds all of it can still be told to let go', async () => {
    const demo = await sandbox({ isolation, limits: { memory: '32MiB' } })
    expect(await rejection(demo.exec('x = []\nwhile True: x.append(bytes(1000))'))).toMatchObject({
      type: 'MemoryError',
    })
    expect(await demo.eval('len(x) > 1000')).toBe(true)
    expect(await rejection(demo.exec('y = bytes(2 * 10**6)'))).toMatchObject({ type: 'MemoryError' })
    await demo.exec('x = None')
    await demo.exec('y = bytes(2 * 10**6)')
  })

  it.each([
    ['small objects', 'x = []\nwhile True: x.append([len(x)])'],
    ['blocks', 'x = []\nwhile True: x.append(bytes(1000))'],
    ['a dictionary', 'x = {}\nwhile True: x[len(x) + 10**9] = str(len(x)) * 10'],
  ])('memory: one full of %s gets MemoryError and nothing else, and can let go', async (_what, fill) => {
    const demo = await sandbox({ isolation, limits: { memory: '24MiB' } })
    expect(await rejection(demo.exec(fill))).toMatchObject({ type: 'MemoryError' })
    const calls = ['y = bytes(4 * 10**6)', 'def f(n): return [i for i in range(n)]\nf(100)', 'y = "a" * 100000000']
    for (let i = 0; i < 24; i++) {
      const failed = await demo.exec(calls[i % calls.length]!).then(
        () => undefined,
        (error) => error,
      )
      if (failed !== undefined || i % 3 !== 1) expect(failed).toMatchObject({ type: 'MemoryError' })
    }
    expect(demo.state).not.toBe('closed')
    await demo.exec('x = None')
    expect(await demo.eval('len(bytes(10**6))')).toBe(10 ** 6)
  })

  it('memory: threads that end hide nothing of what they leave behind', async () => {
    const demo = await sandbox({ isolation, limits: { memory: '64MiB' } })
    const code = `
import _thread
kept, full = [], False
def keep():
    global full
    try:
        kept.append([bytes(1000) for _ in range(50)])
    except MemoryError:
        full = True
for _ in range(4000):
    if not full:
        _thread.start_joinable_thread(keep).join()
`
    await demo.exec(code).catch((error) => expect(error).toMatchObject({ code: 'ERR_PYISOLATE_GUEST' }))
    const kept = await demo.eval<number>('sum(map(len, kept)) * 1000')
    expect(kept).toBeGreaterThan(32 * 2 ** 20)
    expect(kept).toBeLessThan(64 * 2 ** 20)
  })

  it('call time: pure Python is interrupted, and lives on', async () => {
    const demo = await sandbox({ isolation })
    expect(await rejection(demo.exec('while True: pass', { timeout: 100 }))).toMatchObject({
      code: 'ERR_PYISOLATE_TIMEOUT',
      limit: 'call',
      outcome: undefined,
    })
    expect(await rejection(demo.exec('recv()', { timeout: 100 }))).toMatchObject({ outcome: undefined })
    // Waiting inside C is interrupted by a signal, which an interpreter that shares its process doesn't get.
    const sleeping = 'import time\ntime.sleep(100)'
    if (isolation === 'process') {
      expect(await rejection(demo.exec(sleeping, { timeout: 100 }))).toMatchObject({ outcome: undefined })
    }
    expect(await demo.eval('"alive"')).toBe('alive')
  })

  it('an abort and an interrupt reach a running guest', async () => {
    const demo = await sandbox({ isolation })
    expect((await rejection(demo.exec('while True: pass', { signal: AbortSignal.timeout(50) }))).name).toBe(
      'TimeoutError',
    )
    setTimeout(() => demo.interrupt(), 50)
    expect(await rejection(demo.exec('while True: pass'))).toMatchObject({ type: 'KeyboardInterrupt' })
    expect(await demo.eval('1')).toBe(1)
  })

  it.each([
    ['a guest that catches everything', 'while True:\n  try:\n    while True: pass\n  except BaseException: pass'],
    ['arithmetic in C', '10**10**8'],
    ['a catastrophic regular expression', 'import re\nre.match(r"(a+)+$", "a" * 64 + "b")'],
    [
      'ignored signals',
      'import signal\ntry:\n  signal.signal(signal.SIGINT, signal.SIG_IGN)\nexcept Exception: pass\nwhile True:\n  try:\n    while True: pass\n  except BaseException: pass',
    ],
    [
      'an endless __del__',
      'class D:\n  def __del__(self):\n    while True:\n      try:\n        while True: pass\n      except BaseException: pass\nD()',
    ],
  ])('%s ends in time', async (_name, code) => {
    const demo = await sandbox({ isolation })
    const took = await timeOf(demo.exec(code, { timeout: deadline }))
    expect(took).toBeGreaterThan(deadline - 10)
    expect(took).toBeLessThan(within)
    // Some of them are interrupted after all; then the sandbox must be of use.
    if (demo.state !== 'closed' && demo.state !== 'closing') expect(await demo.eval('1')).toBe(1)
    else expect(await demo.closed).toMatchObject({ kind: 'timeout', limit: 'call', ms: deadline })
  })

  it.each([
    [
      'an endless atexit',
      'import atexit\n@atexit.register\ndef f():\n  while True:\n    try:\n      while True: pass\n    except BaseException: pass',
    ],
    [
      'an endless __del__',
      'class D:\n  def __del__(self):\n    while True:\n      try:\n        while True: pass\n      except BaseException: pass\nd = D()',
    ],
    ['a thread', 'import threading\ndef f():\n  while True: pass\nthreading.Thread(target=f).start()'],
  ])('%s does not hold up the end', async (_name, code) => {
    const demo = await sandbox({ isolation })
    await demo.exec(code)
    const { pid } = demo
    expect(await timeOf(demo.close())).toBeLessThan(450)
    expect((await demo.closed).kind).toMatch(/^(closed|cell)$/)
    if (isolation === 'process') expect(isAlive(pid)).toBe(false)
  })

  it('wall time: whatever it does', async () => {
    const demo = await sandbox({ isolation, limits: { wallTime: deadline } })
    expect(await timeOf(demo.exec('import time\ntime.sleep(100)'))).toBeLessThan(within)
    expect(await demo.closed).toMatchObject({ kind: 'timeout', limit: 'wall', ms: deadline })
  })

  it('CPU time', async () => {
    const demo = await sandbox({ isolation, limits: { cpuTime: deadline } })
    await demo.exec('import time\ntime.sleep(0.5)')
    expect(await rejection(demo.exec('while True: pass'))).toMatchObject({ outcome: { kind: 'cpu', ms: deadline } })
  })

  it('CPU time, of one whose ring is full and who is in the midst of a message', async () => {
    const name = `full-${isolation}`
    const cell = isolation === 'interpreter' ? { cell: name } : {}
    const demo = await sandbox({ isolation, ...cell, limits: { cpuTime: deadline, unread: '1KiB' } })
    const other = await sandbox({ isolation, ...cell })
    const code = `
import threading
threading.Thread(target=lambda: [post(b"x" * 1000000) for _ in range(10)]).start()
while True:
    try:
        while True: pass
    except BaseException: pass`
    const took = await timeOf(expect(demo.exec(code)).rejects.toMatchObject({ outcome: { kind: 'cpu', ms: deadline } }))
    expect(took).toBeLessThan(1500)
    if (isolation === 'process') expect(await other.eval('1')).toBe(1)
    else expect(await other.closed).toMatchObject({ kind: 'cell', cell: name, detail: { kind: 'cpu', ms: deadline } })
  })

  it('output', async () => {
    const demo = await sandbox({ isolation, limits: { output: '1MB' } })
    expect(await rejection(demo.exec('while True: print("x" * 1000)'))).toMatchObject({
      outcome: { kind: 'output', bytes: 1e6 },
    })
    expect((await demo.stdout.toArray()).join('')).toHaveLength(1e6)
  })

  it('threads', async () => {
    const demo = await sandbox({ isolation, limits: { threads: 8 } })
    const bomb =
      'import threading, time\nn = 0\ndef f(): time.sleep(1)\ntry:\n  while True:\n    threading.Thread(target=f).start()\n    n += 1\nexcept RuntimeError: pass'
    await demo.exec(bomb)
    expect(await demo.eval<number>('n')).toBeLessThanOrEqual(8)
    expect(await demo.eval<number>('n')).toBeGreaterThan(0)
  })
})

describe('threads of a shared cell', () => {
  it('are counted, and ended, while others come and go', async () => {
    const starts = `import _thread
def nothing(): pass
for _ in range(3000):
  try: _thread.start_new_thread(nothing, ())
  except RuntimeError: pass`
    const rounds = async () => {
      for (let i = 0; i < 30; i++) {
        const demo = await sandbox({ isolation: 'interpreter', limits: { threads: 16 } })
        await demo.exec(starts)
        expect(await demo.close()).toMatchObject({ kind: 'closed' })
      }
    }
    await Promise.all([rounds(), rounds()])
  })
})

describe('open files', () => {
  it('are limited in a process', async () => {
    const demo = await sandbox({ limits: { openFiles: 32 } })
    const bomb =
      'import os, json\nfiles = []\ntry:\n  while True: files.append(open(json.__file__))\nexcept OSError as e: seen = e.errno'
    await demo.exec(bomb)
    expect(await demo.eval('seen')).toBe(24)
    expect(await demo.eval<number>('len(files)')).toBeLessThanOrEqual(32)
  })

  it('are refused as a limit of one among many in a cell', async () => {
    expect(await rejection(sandbox({ isolation: 'interpreter', limits: { openFiles: 32 } }))).toMatchObject({
      code: 'ERR_PYISOLATE_OPTION',
      message: expect.stringContaining('interpreters.openFiles'),
    })
  })
})

describe('bombs in process isolation', () => {
  it.each([
    ['fork', 'import os\nwhile True:\n  os.fork()'],
    ['subprocess', 'import subprocess\nsubprocess.run(["/bin/sh"])'],
    ['multiprocessing', 'import multiprocessing\np = multiprocessing.Process(target=print)\np.start()'],
  ])('%s is denied', async (_name, code) => {
    const demo = await sandbox()
    const error = await rejection(demo.exec(code))
    expect(error.type).toMatch(
      /^(PermissionError|OSError|BlockingIOError|ModuleNotFoundError|ImportError|AttributeError)$/,
    )
    expect(await demo.eval('1')).toBe(1)
  })

  it.each([
    ['os._exit(5)', 'import os\nos._exit(5)', { kind: 'exit', code: 5 }],
    // As pid 1 of its namespace it is spared the SIGABRT; abort() then ends it by an invalid instruction.
    [
      'os.abort()',
      'import os\nos.abort()',
      { kind: 'signal', signal: expect.stringMatching(/^SIG(ABRT|SEGV|ILL)$/) as never },
    ],
    ['a null pointer', 'import ctypes\nctypes.string_at(0)', { kind: 'signal', signal: 'SIGSEGV' }],
  ])('%s ends its own cell only', async (_name, code, outcome) => {
    const [demo, other] = [await sandbox(), await sandbox()]
    expect(await rejection(demo.exec(code))).toMatchObject({ outcome })
    expect(await other.eval('1')).toBe(1)
  })

  it('kill -9 from outside is seen', async () => {
    const demo = await sandbox()
    const running = rejection(demo.exec('recv()'))
    process.kill(demo.pid, 'SIGKILL')
    expect(await running).toMatchObject({ outcome: { kind: 'signal', signal: 'SIGKILL' } })
  })
})
