import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createSupervisor, type Outcome, type Sandbox, type Supervisor } from '../../src/index.js'
import { attemptConfined, attemptUnconfined } from './support/attempt.js'
import { Host } from './support/host.js'

/** What ends the process that tries it. In a sandbox: that sandbox's cell, or nobody at all. */
const deaths: readonly { file: string; title: string; ends: RegExp; spared?: RegExp }[] = [
  { file: 'exit-at-once', title: 'exit', ends: /^exit/ },
  { file: 'abort', title: 'abort', ends: /SIG(ABRT|SEGV|ILL|SYS)/ },
  { file: 'null-pointer', title: 'a null pointer', ends: /SIGSEGV/ },
  {
    file: 'stack-exhaustion',
    title: 'a stack exhausted through C',
    ends: /SIGSEGV|SIGABRT/,
    spared: /RecursionError|ValueError/,
  },
  { file: 'kill-self', title: 'a signal to oneself', ends: /SIGKILL/, spared: /PermissionError|alive/ },
  { file: 'timer', title: 'a timer', ends: /SIGALRM/, spared: /PermissionError|alive/ },
  { file: 'cpu-limit', title: 'a limit lowered', ends: /SIG(XCPU|KILL)|cpu/, spared: /PermissionError/ },
  { file: 'fatal-error', title: "CPython's fatal error", ends: /SIG(ABRT|SEGV|ILL)/ },
  { file: 'wild-constants', title: 'loads out of bounds', ends: /SIG(SEGV|BUS|ABRT|ILL|TRAP|FPE)|exit/ },
  { file: 'forged-type', title: 'an object that is too long', ends: /SIG(SEGV|BUS|ABRT)/ },
  { file: 'scribble', title: 'memory overwritten', ends: /SIG(SEGV|BUS|ABRT|ILL|TRAP|FPE)|protocol/ },
  { file: 'no-descriptors', title: 'every descriptor closed', ends: /^exit/ },
]

let host: Host
let supervisor: Supervisor
let bystanders: Sandbox[]

beforeAll(async () => {
  host = await Host.start()
  supervisor = createSupervisor()
  bystanders = await Promise.all([
    supervisor.spawn('bystander'),
    supervisor.spawn('bystander in a cell', { cell: 'of another cell' }),
  ])
})
afterAll(async () => {
  await supervisor?.close()
  host?.stop()
})
afterEach(async () => {
  for (const bystander of bystanders) expect(await bystander.eval('6 * 7')).toBe(42)
})

const text = (outcome: Outcome): string =>
  outcome.kind === 'signal' ? outcome.signal : outcome.kind === 'cell' ? text(outcome.detail) : outcome.kind

describe.each(deaths)('$title', ({ file, ends, spared }) => {
  it('ends a plain interpreter', async () => {
    const { report, end } = await attemptUnconfined(file, host.arena, host.secret)
    expect(report).toBeUndefined()
    expect(end).toMatch(/./)
  })

  it.each(['process', 'interpreter'] as const)('ends its own cell at most, in %s isolation', async (isolation) => {
    const cell = isolation === 'interpreter' ? { cell: `cell of ${file}` } : {}
    const sandbox = await supervisor.spawn(file, { isolation, ...cell, limits: { callTime: 5000 } })
    const sibling = isolation === 'interpreter' ? await supervisor.spawn(`sibling of ${file}`, cell) : undefined
    const { report, end } = await attemptConfined(sandbox, file, host.arena)
    if (report) {
      expect(report.succeeded).toBe(false)
      expect(report.detail).toMatch(spared ?? /^it must die/)
      expect(await sandbox.eval('6 * 7')).toBe(42)
    } else {
      expect(end).toBeDefined()
      expect(text(await sandbox.closed)).toMatch(ends)
      if (sibling && sibling.state !== 'running') expect(text(await sibling.closed)).toMatch(ends)
    }
    await Promise.all([sandbox.close(), sibling?.close()])
  })
})
