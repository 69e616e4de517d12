import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSupervisor, type Sandbox, type Supervisor } from '../../src/index.js'
import { attemptConfined, attemptUnconfined } from './support/attempt.js'
import { Host } from './support/host.js'

let host: Host
let supervisor: Supervisor
beforeAll(async () => {
  host = await Host.start()
  supervisor = createSupervisor()
})
afterAll(async () => {
  await supervisor?.close()
  host?.stop()
})

const reach = async (isolation: 'process' | 'interpreter', file: string) => {
  const sandbox = await supervisor.spawn(`${file} ${isolation}`, { isolation })
  const { report, end } = await attemptConfined(sandbox, file, host.arena)
  await sandbox.close()
  expect(end).toBeUndefined()
  return report
}

describe('sibling interpreters and the main one', () => {
  it('are reached unconfined', async () => {
    const { report, end } = await attemptUnconfined('interpreters', host.arena, host.secret)
    expect(report, end).toMatchObject({ succeeded: true })
  })

  it.each(['process', 'interpreter'] as const)('are out of reach in %s isolation', async (isolation) => {
    const denied = { succeeded: false, detail: expect.stringMatching(/^(ModuleNotFound|Import)Error/) }
    expect(await reach(isolation, 'interpreters')).toMatchObject(denied)
  })
})

describe("CPython's switch that lets any extension module into any interpreter", () => {
  // Nothing to try first: this build of CPython knows the switch but refuses to turn it.
  it.each(['process', 'interpreter'] as const)('is out of reach in %s isolation', async (isolation) => {
    const denied = { succeeded: false, detail: expect.stringMatching(/^(AttributeError|PermissionError|RuntimeError)/) }
    expect(await reach(isolation, 'extension-check')).toMatchObject(denied)
  })
})

/** What a sandbox sees of its process. */
const view = `
def view():
    import locale, os, signal, sys, time
    return {
        'folder': os.getcwd(), 'zone': time.tzname[0], 'offset': time.localtime().tm_gmtoff, 'TZ': os.environ.get('TZ'),
        'locale': locale.setlocale(locale.LC_ALL),
        'priority': os.getpriority(os.PRIO_PROCESS, 0), 'switch': sys.getswitchinterval(),
        'interrupt': str(signal.getsignal(signal.SIGINT)), 'opens': len(open(os.devnull).name),
    }
`

describe('the switches of the whole process', () => {
  it('are no toys in a plain interpreter', async () => {
    const { report, end } = await attemptUnconfined('process-switches', host.arena, host.secret)
    expect(report?.detail ?? end).toMatch(/SIG|chdir|^\d/)
  })

  it('do nothing to the siblings in a cell', async () => {
    const [attacker, sibling] = (await Promise.all(
      ['attacker', 'sibling'].map((name) => supervisor.spawn(name, { cell: 'switches' })),
    )) as [Sandbox, Sandbox]
    await sibling.exec(view)
    const before = await sibling.eval('view()')
    const { report } = await attemptConfined(attacker, 'process-switches', host.arena)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await sibling.eval('view()'), report?.detail).toEqual(before)
    // Interrupts still arrive at both.
    for (const one of [attacker, sibling]) {
      await expect(one.exec('while True: pass', { timeout: 100 })).rejects.toMatchObject({ outcome: undefined })
    }
    await Promise.all([attacker.close(), sibling.close()])
  })
})

describe('rubbish in every descriptor', () => {
  it.each(['process', 'interpreter'] as const)('is its own trouble in %s isolation', async (isolation) => {
    const bystander = await supervisor.spawn(`bystander ${isolation}`, {
      isolation,
      cell: isolation === 'interpreter' ? 'quiet' : undefined,
    })
    const attacker = await supervisor.spawn(`noisy ${isolation}`, {
      isolation,
      cell: isolation === 'interpreter' ? 'noisy' : undefined,
      limits: { callTime: 3000 },
    })
    await attemptConfined(attacker, 'descriptor-noise', host.arena).catch(() => {})
    expect(await bystander.eval('6 * 7')).toBe(42)
    expect((await attacker.close()).kind).toMatch(/./)
    const next = await supervisor.spawn(`next ${isolation}`, {
      isolation,
      cell: isolation === 'interpreter' ? 'noisy' : undefined,
    })
    expect(await next.eval('6 * 7')).toBe(42)
    await Promise.all([next.close(), bystander.close()])
  })
})
