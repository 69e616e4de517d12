// What is told beside denials by the kernel and the broker: denied imports, and limits that were reached.
import { afterAll, describe, expect, it } from 'vitest'
import { createSupervisor, type Denial } from '../../src/index.js'
import { everywhere, folder, policy, ruled } from './support.js'

const supervisor = createSupervisor()
afterAll(() => supervisor.close())

describe.each(everywhere)('in %s isolation', (isolation) => {
  it('of imports only what the policy denies is told, whatever the guest says', async () => {
    const { sandbox, denials, denied } = await ruled(supervisor, {
      isolation,
      policy: policy('imports: { deny: [csv] }'),
    })
    await sandbox.exec(`
import _pyisolate
say = lambda *args: _pyisolate.host_call('__denied__', args, {})
assert say('json') == (True, None)
for wrong in [(), (1,), ('x' * 256,)]: assert not say(*wrong)[0]
say('csv.writer')
try: import csv
except ImportError: pass`)
    await denied(({ object }) => object === 'csv')
    expect(denials.map(({ operation, object, toldBy }) => [operation, object, toldBy])).toEqual([
      ['import', 'csv.writer', 'guest'],
      ['import', 'csv', 'guest'],
    ])
  })

  it('of what comes too fast some is told, and how much was left out', async () => {
    const { sandbox, denials } = await ruled(supervisor, { isolation, policy: policy('imports: { deny: [csv] }') })
    // A second has 100: however slow this machine is, some of those that are counted into one are left out.
    await sandbox.exec(`
import _pyisolate, time
tried, end = 0, time.monotonic() + 30
def more():
    global tried
    _pyisolate.host_call('__denied__', ('csv',), {})
    tried += 1`)
    let left = 0
    // What was left out in one second is told with what comes in another.
    for (const end = performance.now() + 20_000; left === 0 && performance.now() < end; ) {
      await sandbox.exec('for i in range(150): more()')
      left = denials.reduce((sum, { lost }) => sum + lost, 0)
    }
    expect(left).toBeGreaterThan(0)
    expect(denials.length + left).toBeLessThanOrEqual(await sandbox.eval<number>('tried'))
  })

  it('a limit of the spawn is told without a line, also where there is no policy', async () => {
    const heard: [string, Denial][] = []
    const listen = (name: string, denial: Denial): void => void heard.push([name, denial])
    supervisor.on('denied', listen)
    const cell = isolation === 'interpreter' ? { cell: 'no policy' } : {}
    const told: Denial[] = []
    const name = `no policy ${isolation}`
    await using sandbox = await supervisor.spawn(name, { isolation, ...cell, onDenied: (denial) => told.push(denial) })
    await expect(sandbox.exec('while True: pass', { timeout: 100 })).rejects.toThrow(/longer than 100 ms/)
    const event = { operation: 'limit', object: 'callTime', errno: 'KeyboardInterrupt', toldBy: 'supervisor' }
    expect(told).toMatchObject([{ ...event, rule: undefined, policy: 'stdlib.readonly', generation: 1, lost: 0 }])
    await expect.poll(() => heard.filter(([from]) => from === name)).toEqual([[name, told[0]]])
    supervisor.off('denied', listen)
  })

  it('of what the supervisor keeps itself for a guest’s requests, it tells', async () => {
    const at = folder()
    const cell = isolation === 'interpreter' ? {} : { limits: { openFiles: 16 } }
    const { sandbox, denied } = await ruled(supervisor, {
      isolation,
      ...cell,
      policy: policy(`fs:\n  read: ['${at}/**']\n  write: ['${at}/**']`),
    })
    await sandbox.exec(`
import pyisolate
files = []
try:
    while True: files.append(pyisolate.open('${at}/file', 'w'))
except OSError as error: assert error.errno == 24`)
    expect(await denied(({ operation }) => operation === 'limit')).toMatchObject({
      object: 'openFiles',
      errno: 'EMFILE',
      toldBy: 'supervisor',
    })
  })
})
