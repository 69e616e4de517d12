import { readdirSync, readFileSync } from 'node:fs'
import { skipUnless } from '@pyisolate/test-kit'
import { describe, expect, it } from 'vitest'
import type { Sandbox } from '../../src/index.js'
import { everywhere, sandbox } from './support.js'

/** How often the threads of a process have got a processor; proc(5). */
function switches(pid: number): number {
  let sum = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')
    for (const [, count] of status.matchAll(/ctxt_switches:\s*(\d+)$/gm)) sum += Number(count)
  }
  return sum
}

async function exchange(demo: Sandbox, times: number): Promise<void> {
  const echoing = demo.exec(`for _ in range(${times}): post(recv())`)
  for (let i = 0; i < times; i++) {
    await demo.send(i)
    expect(await demo.recv()).toBe(i)
  }
  await echoing
}

describe.each(everywhere)('a sandbox in %s isolation', (isolation) => {
  it('sleeps while it has nothing to do, however busy it was and others are', async () => {
    const idle = await sandbox({ isolation })
    const busy = await sandbox({ isolation: 'process' })
    await exchange(idle, 200)
    const before = switches(idle.pid)
    await exchange(busy, 500)
    // The making of the shared cell's next interpreters may still be going on.
    expect(switches(idle.pid) - before).toBeLessThan(100)
  })
})

describe('the memory of a cell', () => {
  it('has nothing that can be written and executed', async (context) => {
    skipUnless(context, 'root', 'proc(5): only who may trace a process sees what it has mapped')
    const demo = await sandbox()
    const rights = readFileSync(`/proc/${demo.pid}/maps`, 'utf8').match(/(?<=^\S+ )\S+/gm)!
    expect(rights).toContain('r-xp')
    expect(rights.filter((right) => right.includes('w') && right.includes('x'))).toEqual([])
  })
})
