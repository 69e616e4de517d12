import { compilePolicy } from '@pyisolate/policy'
import { skipUnless } from '@pyisolate/test-kit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createSupervisor, type Sandbox, type Supervisor } from '../../src/index.js'
import { type Attack, attacks } from './attacks.js'
import { attemptConfined, attemptUnconfined } from './support/attempt.js'
import { Host, nothing } from './support/host.js'

const brokered = compilePolicy('version: 1\nextends: stdlib.readonly', { file: 'brokered.yaml' })

let host: Host
let supervisor: Supervisor
let bystander: Sandbox
let signalled = 0

const count = (): void => {
  signalled++
}

beforeAll(async () => {
  host = await Host.start()
  supervisor = createSupervisor({
    readPaths: [host.granted],
    limits: { openFiles: 64 },
    interpreters: { openFiles: 64 },
  })
  bystander = await supervisor.spawn('bystander')
  await bystander.exec(`import ctypes\nvictim = bytearray(b'${host.secret}' + bytes(16))`)
  process.on('SIGUSR1', count)
})
afterAll(async () => {
  process.off('SIGUSR1', count)
  await supervisor?.close()
  host?.stop()
})
// Whatever happened in the sandbox: the others and the supervisor have not noticed.
afterEach(async () => {
  expect(await bystander.eval(`bytes(victim[:${host.secret.length}]).decode()`)).toBe(host.secret)
  expect(signalled).toBe(0)
})

/** Where it must succeed; a host that is confined itself can't show that, and says so. */
async function unconfined(attack: Attack, skip: () => void): Promise<void> {
  const { report, end, touched } = await attemptUnconfined(attack.file, host.arena, host.secret)
  const evidence = await host.evidence()
  if (!report?.succeeded && attack.needs) skip()
  if (attack.replaces) expect(end).toBeDefined()
  else expect(report, end).toMatchObject({ succeeded: true })
  if (attack.leaves) expect(evidence).toSatisfy(attack.leaves)
  if (attack.touches) expect(touched).toBe(true)
}

async function confined(attack: Attack, sandbox: Sandbox): Promise<void> {
  const address = await bystander.eval<number>('ctypes.addressof((ctypes.c_char * len(victim)).from_buffer(victim))')
  const { report, end } = await attemptConfined(sandbox, attack.file, {
    ...host.arena,
    address,
    length: host.secret.length,
  })
  expect(await host.evidence()).toEqual(nothing)
  if (end !== undefined) {
    expect(end).toMatch(attack.dies ?? /^it must not die/)
    return
  }
  if (!attack.leaves && !attack.touches) expect(report).toMatchObject({ succeeded: false })
  if (!report?.succeeded) expect(report?.detail).toMatch(attack.denied)
  expect(await sandbox.eval('6 * 7')).toBe(42)
}

describe.each(attacks)('$title', (attack) => {
  it('succeeds unconfined', async (context) => {
    await unconfined(attack, () => {
      skipUnless(context, attack.needs!, 'unconfined, the host itself denies this', false)
    })
  })

  it.each(['process', 'interpreter'] as const)('gets nowhere in %s isolation', async (isolation) => {
    const cell = isolation === 'interpreter' ? { cell: `cell of ${attack.file}` } : {}
    // Its own confinement alone, then with the broker, which makes calls for it with the rights of this process.
    for (const policy of ['stdlib.readonly', brokered]) {
      const sandbox = await supervisor.spawn(attack.file, { isolation, policy, ...cell })
      try {
        await confined(attack, sandbox)
      } finally {
        await sandbox.close()
      }
    }
  })
})
