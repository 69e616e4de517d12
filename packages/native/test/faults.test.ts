import { describe, expect, test } from 'vitest'

import { alive, until } from './support/fake.js'
import { runScript } from './support/run-script.js'

const json = (stdout: string): Record<string, number> => JSON.parse(stdout.trim().split('\n').at(-1) ?? '')

describe('faults', () => {
  test('2,000 spawns leave no descriptor, child or memory behind', async () => {
    const { stdout, stderr, code } = await runScript(`
      const one = async (e) => { const cell = await e.spawn(request()); await cell.end(1000) }
      const e = engine()
      const settle = async () => { for (let i = 0; i < 5; i++) { globalThis.gc(); await sleep(30) } }
      const measure = () => ({ fds: descriptors(), rss: process.memoryUsage().rss >> 10, cells: e.stats().cells })
      for (let i = 0; i < 300; i++) await one(e)
      await settle(); const before = measure()
      for (let i = 0; i < 2000; i += 4) await Promise.all([one(e), one(e), one(e), one(e)])
      await settle(); const after = measure()
      await e.close()
      console.log(JSON.stringify({ fds: after.fds - before.fds, rss: after.rss - before.rss, cells: after.cells, ended: descriptors() }))
    `)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const grown = json(stdout)
    expect(grown.fds).toBeLessThanOrEqual(0)
    expect(grown.cells).toBe(2)
    expect(grown.rss).toBeLessThan(12 * 1024)
  }, 120_000)

  test('a supervisor that is killed leaves no cell and no zygote', async () => {
    let pids: number[] = []
    const { signal } = await runScript(
      `
      let zygote
      const e = engine({ onZygote: (event) => { zygote ??= event.pid } })
      const cells = [await e.spawn(request()), await e.spawn(request({ isolation: 'interpreter', cell: 'c' }))]
      console.log(JSON.stringify([zygote, ...cells.map((cell) => cell.pid)]))
      setInterval(() => {}, 1000)`,
      {
        onLine: (line, kill) => {
          pids = JSON.parse(line)
          kill()
        },
      },
    )
    expect(signal).toBe('SIGKILL')
    expect(pids).toHaveLength(3)
    await until('all are gone', () => !pids.some(alive))
  })

  test('a supervisor ends by itself when its last sandbox has: pools and zygotes do not hold it', async () => {
    const { code, stderr } = await runScript(`
      const e = engine()
      const cell = await e.spawn(request())
      await sleep(50)
      await cell.end(100)`)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  test('a running sandbox keeps the supervisor alive', async () => {
    const { code, stdout } = await runScript(`
      const cell = await engine().spawn(request({ onExit: (exit) => console.log(exit.killedBy) }))
      cell.setDeadline(1, Infinity, 300, 'wall')`)
    expect([code, stdout]).toEqual([0, 'wall\n'])
  })

  // A cell takes two, and one for a moment to learn its pid: whichever of them is the one too many.
  test.each([100, 101])(
    'without descriptors, of %i, a spawn fails with the reason, and the others go on',
    async (most) => {
      const { code, stdout, stderr } = await runScript(
        `
      const e = engine()
      const cells = []
      let failure
      while (!failure && cells.length < 200) {
        try { cells.push(await e.spawn(request())) } catch (error) { failure = error }
      }
      const answers = await Promise.all(cells.map((cell, i) => cell.usage().cpuMs >= 0 && cell.pid > 0))
      const count = cells.length
      await Promise.all(cells.map((cell) => cell.end(1000)))
      const again = await e.spawn(request())
      await again.end(500)
      await e.close()
      console.log(failure.code, /EMFILE \\(this process has no descriptor left/.test(failure.message), count > 10, answers.every(Boolean))`,
        { shell: `ulimit -n ${most}` },
      )
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toBe('ERR_PYISOLATE_SPAWN true true true\n')
    },
    30_000,
  )

  test('a worker thread that is terminated takes its cells along; the main thread keeps its own', async () => {
    const { code, stdout, stderr } = await runScript(`
      const { Worker, isMainThread, parentPort } = await import('node:worker_threads')
      const e = engine()
      const cell = await e.spawn(request())
      if (!isMainThread) { parentPort.postMessage(cell.pid) } else {
        const { existsSync } = await import('node:fs')
        for (let i = 0; i < 3; i++) {
          const worker = new Worker(new URL(import.meta.url))
          const pid = await new Promise((done) => worker.once('message', done))
          await worker.terminate()
          for (let n = 0; n < 100 && existsSync('/proc/' + pid); n++) await sleep(10)
          console.log(existsSync('/proc/' + pid), existsSync('/proc/' + cell.pid))
        }
        await e.close()
      }`)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe('false true\n'.repeat(3))
  })

  test('events that arrive while a worker is torn down call nobody and break nothing', async () => {
    const { code, stdout, stderr } = await runScript(`
      const { Worker, isMainThread, parentPort } = await import('node:worker_threads')
      if (isMainThread) {
        for (let i = 0; i < 5; i++) {
          const worker = new Worker(new URL(import.meta.url), { stdout: true })
          await new Promise((done) => worker.once('message', done))
          await sleep(30)
          await worker.terminate()
        }
        console.log('survived')
      } else {
        let zygote
        const e = engine({ onZygote: (event) => { zygote = event.pid } })
        const cell = await e.spawn(request())
        process.kill(zygote, 'SIGKILL')
        cell.kill('now')
        parentPort.postMessage('dead')
        for (;;);
      }`)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe('survived\n')
  })

  test('process.exit with everything in flight', async () => {
    const { code, stderr } = await runScript(`
      const e = engine()
      for (let i = 0; i < 5; i++) e.spawn(request()).catch(() => {})
      await e.spawn(request({ onFrame() {} }))
      e.spawn(request({ isolation: 'interpreter', cell: 'c' }))
      setImmediate(() => process.exit(3))`)
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' })
  })
})
