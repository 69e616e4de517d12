// What a listener for denials may count on.
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSupervisor } from '../../src/index.js'
import { everywhere, policy } from './support.js'

const supervisor = createSupervisor()
afterAll(() => supervisor.close())

describe.each(everywhere)('in %s isolation', (isolation) => {
  it('a denial is told before what the guest says after it', async () => {
    const told: string[] = []
    const sandbox = await supervisor.spawn(`order-${isolation}`, {
      isolation,
      ...(isolation === 'interpreter' && { cell: 'order' }),
      policy: policy('fs: {}'),
      onDenied: ({ object }) => told.push(object),
      functions: {
        // While it computes, the guest goes on: it is denied, and answers, before the event loop has a turn.
        busy: () => {
          const end = performance.now() + 40
          while (performance.now() < end);
        },
      },
    })
    onTestFinished(async () => {
      await sandbox.close()
    })
    await sandbox.exec(`
import threading, time
def read(number):
    threading.Thread(target=host.busy).start()
    time.sleep(0.01)
    try: open(f'/denied/{number}')
    except PermissionError: return number`)
    for (let i = 0; i < 10; i++) told.push(`answer ${await sandbox.call('read', [i])}`)
    expect(told).toEqual(Array.from({ length: 10 }, (_, i) => [`/denied/${i}`, `answer ${i}`]).flat())
  })
})
