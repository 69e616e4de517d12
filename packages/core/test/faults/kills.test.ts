import { setTimeout as delay } from 'node:timers/promises'
import { childProcesses, isAlive, until } from '@pyisolate/test-kit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSupervisor, SandboxClosedError, type Supervisor } from '../../src/index.js'
import { allGone, descendants, runSupervisor } from './support.js'

let supervisor: Supervisor
let zygotes: { kind: string; pid: number }[]
beforeEach(() => {
  zygotes = []
  supervisor = createSupervisor()
  supervisor.on('zygote', (event) => zygotes.push(event))
})
afterEach(() => supervisor.close())
const zygote = (): number => zygotes.findLast(({ kind }) => kind === 'started')!.pid

describe('kill -9 of a cell', () => {
  it('is the end of its sandbox, and of no other', async () => {
    const [victim, other] = await Promise.all([supervisor.spawn('victim'), supervisor.spawn('other')])
    const running = victim.exec('recv()')
    process.kill(victim.pid, 'SIGKILL')
    await expect(running).rejects.toMatchObject({ code: 'ERR_PYISOLATE_SANDBOX_CLOSED' })
    expect(await victim.closed).toMatchObject({ kind: 'signal', signal: 'SIGKILL' })
    expect(isAlive(victim.pid)).toBe(false)
    expect(await other.eval('1 + 1')).toBe(2)
    expect(await (await supervisor.spawn('victim')).eval('1 + 1')).toBe(2)
  })

  it('is the end of every sandbox in it, and each of them learns why', async () => {
    const cell = { cell: 'doomed' }
    const doomed = await Promise.all(['a', 'b', 'c'].map((name) => supervisor.spawn(name, cell)))
    const other = await supervisor.spawn('other', { cell: 'safe' })
    process.kill(doomed[0]!.pid, 'SIGKILL')
    for (const sandbox of doomed) {
      expect(await sandbox.closed).toMatchObject({
        kind: 'cell',
        cell: 'doomed',
        detail: { kind: 'signal', signal: 'SIGKILL' },
      })
    }
    expect(await other.eval('1 + 1')).toBe(2)
    expect(await (await supervisor.spawn('a', cell)).eval('1 + 1')).toBe(2)
  })

  /** The cells of the pool, all of them blank: asked for, forked, and ready for a while. */
  async function fullPool(): Promise<number[]> {
    const cells = () => childProcesses().filter((pid) => pid !== zygote())
    await until(() => supervisor.stats().pooled === 2 && cells().length === 2, 5000, 'a full pool')
    await delay(50)
    return cells()
  }

  it('in the pool goes unnoticed', async () => {
    await (await supervisor.spawn('first')).close()
    const pool = await fullPool()
    for (const pid of pool) process.kill(pid, 'SIGKILL')
    // Dead, and seen to be: one that is taken in between is the next test's.
    await until(() => supervisor.stats().pooled === 0, 5000, 'the end of the pool')
    expect(pool.filter(isAlive)).toEqual([])
    const all = await Promise.all(['a', 'b', 'c'].map((name) => supervisor.spawn(name)))
    expect(await Promise.all(all.map((sandbox) => sandbox.eval('1 + 1')))).toEqual([2, 2, 2])
  })

  it('of a pooled cell in the moment it is taken is told by its sandbox alone', async () => {
    await (await supervisor.spawn('first')).close()
    for (const pid of await fullPool()) process.kill(pid, 'SIGKILL')
    const taken = await supervisor.spawn('taken')
    expect(await taken.eval('1 + 1').catch((error) => error)).toBeInstanceOf(SandboxClosedError)
    expect(await taken.closed).toMatchObject({ kind: 'signal', signal: 'SIGKILL' })
    expect(await (await supervisor.spawn('next', { inputs: { x: 1 } })).eval('x + 1')).toBe(2)
  })
})

describe('kill -9 of the zygote', () => {
  it('disturbs no cell, and the next spawn has another', async () => {
    const old = await Promise.all([supervisor.spawn('old'), supervisor.spawn('old in a cell', { cell: 'c' })])
    const first = zygote()
    process.kill(first, 'SIGKILL')
    await until(() => zygotes.some(({ kind, pid }) => kind === 'ended' && pid === first), 5000, 'the end of the zygote')
    for (const sandbox of old) expect(await sandbox.eval('1 + 1')).toBe(2)
    const joined = await supervisor.spawn('young in the cell', { cell: 'c' })
    expect(joined.pid).toBe(old[1]!.pid)
    // More than the old one left in the pool.
    const young = await Promise.all(['a', 'b', 'c'].map((name) => supervisor.spawn(name)))
    for (const sandbox of [joined, ...young]) expect(await sandbox.eval('1 + 1')).toBe(2)
    expect(zygote()).not.toBe(first)
  })

  it('in the middle of spawns loses none that cannot say why', async () => {
    await (await supervisor.spawn('first')).close()
    const killer = setInterval(() => {
      try {
        process.kill(zygote(), 'SIGKILL')
      } catch {
        // between two of them
      }
    }, 60)
    const results = await Promise.allSettled(
      Array.from({ length: 24 }, async (_, i) => {
        await new Promise((resolve) => setTimeout(resolve, i * 10))
        const sandbox = await supervisor.spawn(`spawn ${i}`)
        expect(await sandbox.eval('1 + 1')).toBe(2)
        await sandbox.close()
      }),
    )
    clearInterval(killer)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'ERR_PYISOLATE_SPAWN' })
    }
    expect(await (await supervisor.spawn('after')).eval('1 + 1')).toBe(2)
    await supervisor.close()
    expect(childProcesses()).toEqual([])
  })
})

describe('kill -9 of the supervisor', () => {
  const busy = `
    const supervisor = createSupervisor({ pool: { size: 3 } })
    const sandboxes = await Promise.all([
      supervisor.spawn('busy'), supervisor.spawn('idle'), supervisor.spawn('stubborn'),
      supervisor.spawn('one', { cell: 'c' }), supervisor.spawn('two', { cell: 'c' })])
    for (const s of sandboxes) s.closed.then(() => {})
    sandboxes[0].exec('while True: pass').catch(() => {})
    sandboxes[2].exec('import time\\nwhile True:\\n  try: time.sleep(100)\\n  except BaseException: pass').catch(() => {})
    sandboxes[3].exec('while True: post(1)').catch(() => {})
    await sleep(300)`

  it('leaves no orphan', async () => {
    let below: number[] = []
    const { signal } = await runSupervisor(`${busy}\nprocess.send?.('up'); console.log('up'); await sleep(60_000)`, {
      onStart: (child) => {
        child.stdout?.once('data', () => {
          below = descendants(child.pid!)
          child.kill('SIGKILL')
        })
      },
    })
    expect(signal).toBe('SIGKILL')
    // A zygote, five sandboxes in four cells, a pool of three.
    expect(below.length).toBeGreaterThanOrEqual(8)
    await allGone(below)
  })

  it('in the middle of spawns leaves none either', async () => {
    for (const wait of [0, 5, 20, 60, 120, 250]) {
      let below: number[] = []
      await runSupervisor(
        `const supervisor = createSupervisor()
         console.log('up')
         for (let i = 0; ; i++) await supervisor.spawn('s' + i, i % 3 ? {} : { cell: 'c' })`,
        {
          onStart: (child) => {
            child.stdout?.once('data', () => {
              setTimeout(() => {
                below = descendants(child.pid!)
                child.kill('SIGKILL')
                below.push(...descendants(child.pid!))
              }, wait)
            })
          },
        },
      )
      await allGone(below)
    }
  })

  it('and its exit, its crash and its uncaught errors', async () => {
    for (const end of ['process.exit(3)', 'process.abort()', "throw new Error('an end')"]) {
      const { stdout } = await runSupervisor(
        `${busy}
        const { readdirSync, readFileSync } = await import('node:fs')
        const parent = (pid) => { try { return readFileSync('/proc/' + pid + '/stat', 'latin1').split(') ')[1].split(' ')[1] } catch {} }
        console.log(JSON.stringify(readdirSync('/proc').filter((pid) => /^\\d+$/.test(pid) && parent(pid) === String(process.pid)).map(Number)))
        ${end}`,
      )
      const below: number[] = JSON.parse(stdout)
      expect(below.length).toBeGreaterThanOrEqual(8)
      await allGone(below)
    }
  })
})
