import { areas, image, skipUnless, until, writeBack } from '@pyisolate/test-kit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSupervisor, type Supervisor } from '../../src/index.js'

/** Who may trace a cell takes an image of where its keys are, the engine's static memory, and writes it back later. */
const statics = (pid: number) => {
  const data = areas(pid).find(({ name, writable }) => writable && name.endsWith('/pyisolate-engine'))!
  return image(pid, ({ from }) => from === data.to)
}

let supervisor: Supervisor
beforeEach(() => {
  supervisor = createSupervisor({ pool: { size: 0 } })
})
afterEach(() => supervisor.close())

describe('a cell whose keys and counters are brought back', () => {
  it('seals nothing more, and is ended; another one goes on', async (context) => {
    skipUnless(context, 'root', 'ptrace(2): only who may trace a cell writes to its memory')
    const [brought, other] = await Promise.all([supervisor.spawn('brought'), supervisor.spawn('other')])
    expect(await brought.eval('6 * 7')).toBe(42)
    const before = statics(brought.pid)
    expect(before).toHaveLength(1)
    // The counter goes on there.
    expect(await brought.eval('1')).toBe(1)
    expect(statics(brought.pid)).not.toEqual(before)
    writeBack(brought.pid, before)
    expect(statics(brought.pid)).toEqual(before)

    const lost = brought.eval('2').catch((error) => error)
    const outcome = await brought.closed
    expect(outcome).toMatchObject({ kind: 'exit', code: 70 })
    expect(await lost).toMatchObject({ code: 'ERR_PYISOLATE_SANDBOX_CLOSED' })
    expect(await other.eval('3')).toBe(3)
  })

  it('seals as before where nothing was sealed in between', async (context) => {
    skipUnless(context, 'root', 'ptrace(2): only who may trace a cell writes to its memory')
    const sandbox = await supervisor.spawn('still')
    await sandbox.exec('import time')
    writeBack(sandbox.pid, statics(sandbox.pid))
    expect(await sandbox.eval('4')).toBe(4)
    await until(() => sandbox.stats().completedCalls === 2)
  })
})
