import { until } from '@pyisolate/test-kit'
import { afterAll, describe, expect, it } from 'vitest'
import { createSupervisor, type SpawnOptions } from '../../src/index.js'
import { holdings } from './support.js'

/** Stages are counted in turns of the event loop: how long one takes depends on the machine. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const supervisor = createSupervisor()
afterAll(() => supervisor.close())

async function abortedAfter(turns: number, options: SpawnOptions, owner = supervisor): Promise<'spawned' | 'aborted'> {
  const controller = new AbortController()
  const reason = new Error(`given up after ${turns} turns`)
  const spawning = owner.spawn(`aborted after ${turns}`, { ...options, signal: controller.signal })
  const result = spawning.then(
    async (sandbox) => {
      expect(await sandbox.eval('1 + 1')).toBe(2)
      await sandbox.close()
      return 'spawned' as const
    },
    (error) => {
      expect(error).toBe(reason)
      return 'aborted' as const
    },
  )
  for (let i = 0; i < turns; i++) await turn()
  controller.abort(reason)
  return result
}

/** The pool is refilled a little after a spawn; a pooled cell counts from when it is asked for, so look for all three. */
async function holdingsAtRest(): Promise<ReturnType<typeof holdings>> {
  await until(
    () => supervisor.stats().pooled === 2 && supervisor.stats().sandboxes === 0 && holdings().children >= 3,
    5000,
    'rest',
  )
  return holdings()
}

describe.each<{ title: string; options: SpawnOptions }>([
  { title: 'from the pool', options: {} },
  { title: 'in a new cell', options: { cell: 'fresh' } },
  { title: 'with inputs and functions', options: { inputs: { x: [1, 2, 3] }, functions: { f: () => 1 } } },
])('a spawn $title, given up at every stage', ({ options }) => {
  it('leaves nothing behind', async () => {
    const first = await supervisor.spawn('first', options)
    await first.close()
    const before = await holdingsAtRest()
    const seen = new Set<string>()
    for (let turns = 0; !seen.has('spawned') || turns < 40; turns = Math.ceil((turns + 1) * 1.1)) {
      seen.add(await abortedAfter(turns, options))
    }
    // From the first stage to the last.
    expect([...seen].sort()).toEqual(['aborted', 'spawned'])
    await until(
      () => {
        const now = holdings()
        return now.descriptors <= before.descriptors && now.children <= before.children
      },
      5000,
      `the return to ${JSON.stringify(before)}`,
    )
    expect(supervisor.stats().sandboxes).toBe(0)
  })
})

describe('a first spawn, given up while its zygote starts', () => {
  it('leaves nothing behind', async () => {
    const before = await holdingsAtRest()
    for (const turns of [0, 1, 2, 3, 5, 8, 13, 50, 200, 1000]) {
      const own = createSupervisor()
      await abortedAfter(turns, {}, own)
      await abortedAfter(turns, { cell: 'c' }, own)
      await own.close()
    }
    await until(
      () => holdings().children <= before.children && holdings().descriptors <= before.descriptors,
      5000,
      'rest',
    )
  })
})

describe('a spawn, given up by the close of its supervisor', () => {
  it('rejects, and leaves nothing behind', async () => {
    const before = await holdingsAtRest()
    for (const turns of [0, 1, 2, 5, 20, 100]) {
      const own = createSupervisor()
      const spawning = ['a', 'b', 'c'].map((name) => own.spawn(name, name === 'c' ? { cell: 'c' } : {}))
      const results = Promise.allSettled(spawning)
      for (let i = 0; i < turns; i++) await turn()
      await own.close()
      for (const result of await results) {
        if (result.status === 'rejected')
          expect(result.reason.code).toMatch(/^ERR_PYISOLATE_(SUPERVISOR|ENGINE)_CLOSED$/)
        else expect(await result.value.closed).toMatchObject({ kind: 'closed' })
      }
    }
    await until(() => holdings().children <= before.children, 5000, 'rest')
  })
})
