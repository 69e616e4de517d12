import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run, skipUnless } from '@pyisolate/test-kit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSupervisor, type Supervisor } from '../../src/index.js'
import { plainPython, standardLibrary } from '../escapes/support/python.js'

type Ending = 'ok' | 'fail' | 'error' | 'skip' | 'missing'
interface Results {
  readonly endings: Readonly<Record<string, Ending>>
  readonly reasons: Readonly<Record<string, string>>
}

/** How a test ends outside and inside, and why that differs. */
interface Difference {
  readonly outside: Ending
  readonly inside: Ending
  readonly reason: string
}

const suites = [
  ...['json', 're', 'math', 'datetime', 'collections', 'itertools', 'functools', 'decimal', 'statistics', 'string'],
  ...['struct', 'random', 'dataclasses', 'enum'],
  ...['futures', 'tasks', 'queues', 'locks', 'taskgroups', 'timeouts', 'runners', 'context', 'waitfor'].map(
    (name) => `asyncio.test_${name}`,
  ),
].map((name) => `test.test_${name}`)

const script = fileURLToPath(new URL('suite.py', import.meta.url))
/** By suite and test: all there are, no more and no less. */
const listed: Readonly<Record<string, Readonly<Record<string, Difference>>>> = JSON.parse(
  readFileSync(new URL('differences.json', import.meta.url), 'utf8'),
)

let supervisor: Supervisor
let scratch: string
beforeAll(() => {
  // Not part of the standard library, but some of its tests use it where it is installed.
  const zones = '/usr/share/zoneinfo'
  supervisor = createSupervisor({
    readPaths: existsSync(zones) ? [zones] : [],
    limits: { memory: '1GiB', callTime: 300_000, output: '64MiB', threads: 64, openFiles: 256 },
  })
  scratch = mkdtempSync(join(tmpdir(), 'pyisolate-suites-'))
})
afterAll(async () => {
  await supervisor?.close()
  rmSync(scratch, { recursive: true, force: true })
})

async function outside(suite: string): Promise<Results> {
  const { stdout, stderr, code } = await run(plainPython, ['-I', script, suite], {
    timeout: 300_000,
    cwd: scratch,
    env: { TMPDIR: scratch },
  })
  if (code !== 0) throw new Error(`${suite} ended with ${code}: ${stderr.slice(-2000)}`)
  return JSON.parse(stdout)
}

async function inside(suite: string): Promise<Results> {
  const sandbox = await supervisor.spawn(suite)
  try {
    await sandbox.exec(readFileSync(script, 'utf8'), { filename: 'suite.py' })
    return (await sandbox.call('run_suite', [suite])) as unknown as Results
  } finally {
    await sandbox.close()
  }
}

/** Every test that ends otherwise inside, with what it says there. */
function compare(there: Results, here: Results): Record<string, Difference> {
  const found: Record<string, Difference> = {}
  for (const name of new Set([...Object.keys(there.endings), ...Object.keys(here.endings)])) {
    const [outside, inside] = [there.endings[name] ?? 'missing', here.endings[name] ?? 'missing']
    if (outside !== inside) found[name] = { outside, inside, reason: here.reasons[name] ?? there.reasons[name] ?? '' }
  }
  return found
}

describe.concurrent("CPython's own tests end in a sandbox as they do outside", { timeout: 600_000 }, () => {
  it.for(suites)('%s', async (suite, context) => {
    if (!existsSync(join(standardLibrary, 'test'))) {
      skipUnless(context, 'cpython-tests', 'this interpreter came without them', false)
    }
    const there = await outside(suite)
    const here = await inside(suite)
    expect(Object.keys(there.endings).length).toBeGreaterThan(0)
    const found = compare(there, here)
    // What a test says of itself may name a path or a number: how it ends is what counts.
    const endings = (of: Readonly<Record<string, Difference>>) =>
      Object.fromEntries(Object.entries(of).map(([name, { outside, inside }]) => [name, `${outside} → ${inside}`]))
    const known = listed[suite] ?? {}
    for (const { reason } of Object.values(known)) expect(reason).toMatch(/\w/)
    expect(endings(found), JSON.stringify(found, null, 2)).toEqual(endings(known))
  })
})
