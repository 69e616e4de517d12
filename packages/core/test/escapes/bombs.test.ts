import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createSupervisor, type Limits, type Sandbox, type Supervisor } from '../../src/index.js'
import { attemptConfined, attemptUnconfined } from './support/attempt.js'
import { Host } from './support/host.js'

interface Bomb {
  readonly file: string
  readonly title: string
  readonly limits: Limits
  /** How the sandbox is told off. */
  readonly denied?: RegExp
  /** How it ends instead. */
  readonly ends?: RegExp
}

const bombs: readonly Bomb[] = [
  { file: 'fork-bomb', title: 'processes', limits: {}, denied: /PermissionError|BlockingIOError|OSError|RuntimeError/ },
  { file: 'thread-bomb', title: 'threads', limits: { threads: 8 }, denied: /RuntimeError/ },
  { file: 'thread-bomb-raw', title: 'threads past CPython', limits: { threads: 8 }, denied: /OSError|BlockingIOError/ },
  { file: 'memory-bomb', title: 'memory', limits: { memory: '64MiB' }, denied: /MemoryError/ },
  { file: 'memory-bomb-raw', title: 'memory past CPython', limits: { memory: '64MiB' }, denied: /MemoryError/ },
  {
    file: 'memory-bomb-stack',
    title: 'memory as a stack',
    limits: { memory: '64MiB' },
    denied: /MemoryError/,
    ends: /SIGSEGV|memory/,
  },
  { file: 'output-flood', title: 'output', limits: { output: '1MiB' }, ends: /^output/ },
  { file: 'message-flood', title: 'messages', limits: { unread: '1MiB', callTime: 1500 }, denied: /KeyboardInterrupt/ },
  { file: 'recursion', title: 'recursion', limits: {}, denied: /RecursionError|MemoryError/, ends: /SIGSEGV/ },
]

let host: Host
let supervisor: Supervisor
let bystander: Sandbox

beforeAll(async () => {
  host = await Host.start()
  // Past CPython nobody tells the sandboxes of a cell apart: there the cell's own limits hold.
  supervisor = createSupervisor({ interpreters: { memory: '64MiB', threads: 16 } })
  bystander = await supervisor.spawn('bystander')
})
afterAll(async () => {
  await supervisor?.close()
  host?.stop()
})
afterEach(async () => {
  expect(await bystander.eval('6 * 7')).toBe(42)
})

describe.each(bombs)('$title', ({ file, limits, denied, ends }) => {
  it('go off unconfined', async () => {
    const { report, end } = await attemptUnconfined(file, host.arena, host.secret)
    if (report) expect(report).toMatchObject({ succeeded: file !== 'recursion' })
    else expect(end).toMatch(/SIGSEGV/)
  })

  it.each(['process', 'interpreter'] as const)('are defused in %s isolation', async (isolation) => {
    const cell = isolation === 'interpreter' ? { cell: `cell of ${file}` } : {}
    const before = process.memoryUsage().rss
    const sandbox = await supervisor.spawn(file, { isolation, ...cell, limits })
    const { report, end } = await attemptConfined(sandbox, file, host.arena).catch((error) => ({
      report: { succeeded: false, detail: `${error.name} KeyboardInterrupt` },
      end: undefined,
    }))
    if (report) {
      expect(report.succeeded).toBe(false)
      expect(report.detail).toMatch(denied ?? /^it must end/)
      // What it has sent stands before the answer.
      const answer = sandbox.eval('6 * 7')
      while (sandbox.stats().unreadBytes > 0) await sandbox.recv()
      expect(await answer).toBe(42)
    } else {
      expect(end).toMatch(ends ?? /^it must live on/)
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20)
    await sandbox.close()
  })
})
