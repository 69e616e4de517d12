import { fileURLToPath } from 'node:url'
import { childProcesses, countDescriptors, runSource, until } from '@pyisolate/test-kit'
import { describe, expect, it } from 'vitest'
import { createSupervisor } from '../../src/index.js'
import { everywhere, rejection, sandbox, supervisor } from './support.js'

const cwd = fileURLToPath(new URL('../..', import.meta.url))

describe.each(everywhere)('the life of a sandbox in %s isolation', (isolation) => {
  it('queues calls in order, aborted ones out', async () => {
    const demo = await sandbox({ isolation })
    const controller = new AbortController()
    const slow = demo.exec('import time\ntime.sleep(0.1)\nseen = ["slow"]')
    const aborted = rejection(demo.exec('seen.append("aborted")', { signal: controller.signal }))
    const next = demo.exec('seen.append("next")')
    controller.abort('no')
    expect(await aborted).toBe('no')
    await Promise.all([slow, next])
    expect(await demo.eval('seen')).toEqual(['slow', 'next'])
  })

  it('one name, one living sandbox', async () => {
    const demo = await sandbox({ isolation })
    expect(await rejection(supervisor.spawn(demo.name))).toMatchObject({ code: 'ERR_PYISOLATE_NAME_IN_USE' })
    await demo.close()
    await (await supervisor.spawn(demo.name)).close()
  })

  it('refuses an input that the guest cannot hold', async () => {
    const options = { isolation, inputs: { x: new Map([[new Map(), 1]]) } } as const
    expect((await rejection(sandbox(options))).code).toMatch(/ERR_PYISOLATE_(SPAWN|VALUE)/)
  })

  it('can be aborted at every stage of its spawn', async () => {
    for (let delay = 0; delay < 12; delay++) {
      const name = `aborted-${isolation}-${delay}`
      const signal = AbortSignal.timeout(delay)
      const spawned = supervisor.spawn(name, { isolation, signal })
      await spawned.then(
        (it) => it.close(),
        (error) => expect(error.name).toBe('TimeoutError'),
      )
    }
    await until(() => supervisor.stats().sandboxes === 0)
  })

  it('leaves nothing behind', async () => {
    const cycle = async (n: number) => {
      for (let i = 0; i < n; i++) {
        const it = await supervisor.spawn(`cycle-${i}`, { isolation })
        await it.exec('post(1)')
        await it.recv()
        await it.close()
      }
    }
    await cycle(20)
    const before = { fds: countDescriptors(), children: childProcesses().length }
    await cycle(100)
    await until(
      () => countDescriptors() <= before.fds + 2 && childProcesses().length <= before.children + 1,
      3000,
      'the return to the start',
    )
  })

  it('runs hundreds side by side', async () => {
    const own = createSupervisor()
    try {
      const all = await Promise.all(
        Array.from({ length: 300 }, (_, i) =>
          own.spawn(`many-${i}`, { isolation, cell: isolation === 'interpreter' ? `cell-${i % 3}` : undefined }),
        ),
      )
      const answers = await Promise.all(all.map((it, i) => it.eval(`${i} * 2`)))
      expect(answers).toEqual(all.map((_, i) => i * 2))
    } finally {
      await own.close()
    }
    expect(own.stats()).toMatchObject({ sandboxes: 0, cells: 0, zygotes: 0 })
  }, 120_000)
})

describe('sandboxes of one cell', () => {
  it('share a process, and nothing of Python', async () => {
    const [a, b] = [await sandbox({ cell: 'shared' }), await sandbox({ cell: 'shared' })]
    expect(a.pid).toBe(b.pid)
    await a.exec('import sys\nx = 1\nsys.modules["json"] = None')
    expect(await b.eval('"x" in globals()')).toBe(false)
    await b.exec('import json')
    await a.close()
    expect(await b.eval('1')).toBe(1)
  })

  it('all learn why their cell ended', async () => {
    const [a, b] = [await sandbox({ cell: 'doomed' }), await sandbox({ cell: 'doomed' })]
    await rejection(a.exec('import re\nre.match(r"(a+)+$", "a" * 64 + "b")', { timeout: 100 }))
    if (a.state === 'running') return // it could be interrupted
    expect(await a.closed).toMatchObject({ kind: 'timeout', limit: 'call' })
    expect(await b.closed).toMatchObject({
      kind: 'cell',
      cell: 'doomed',
      detail: { kind: 'timeout', limit: 'call', ms: 100 },
    })
    const again = await sandbox({ cell: 'doomed' })
    expect(await again.eval('1')).toBe(1)
  })
})

describe('the shared supervisor', () => {
  it('does not keep the process alive, its sandboxes do', async () => {
    const idle = await runSource(
      `import { spawn } from '@pyisolate/core'
       const s = await spawn('a'); await s.exec('post(1)'); console.log(await s.recv()); await s.close()
       const t = await spawn('b'); console.log(await t.eval('2')); await t.close()`,
      { cwd, timeout: 20_000 },
    )
    expect(idle).toMatchObject({ code: 0, stdout: '1\n2\n', stderr: '', timedOut: false })
    const waiting = await runSource(
      `import { spawn } from '@pyisolate/core'
       const s = await spawn('a'); const p = s.exec('import time; time.sleep(0.3); post("late")')
       s.recv().then(async (m) => { console.log(m); await p; await s.close() })`,
      { cwd, timeout: 20_000 },
    )
    expect(waiting).toMatchObject({ code: 0, stdout: 'late\n', stderr: '', timedOut: false })
  })

  it('dies with its process, and takes every cell along', async () => {
    const { stdout, signal } = await runSource(
      `import { spawn } from '@pyisolate/core'
       const s = await spawn('a'); void s.exec('while True: pass').catch(() => {})
       console.log(s.pid); setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50)`,
      { cwd, timeout: 20_000 },
    )
    expect(signal).toBe('SIGKILL')
    await until(() => !alive(Number(stdout)), 3000, 'the end of the orphan')
  })
})

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
