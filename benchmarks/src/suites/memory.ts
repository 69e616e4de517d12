import { setTimeout as delay } from 'node:timers/promises'
import type { Sandbox, Supervisor } from '@pyisolate/core'
import type { Context } from '../context.js'
import { type Figure, figure, type Peer } from '../figure.js'
import { collectGarbage } from '../internal/garbage.js'
import { type MemoryKiB, memoryOf } from '../internal/smaps.js'
import { memoryPeers } from '../peers/memory-peers.js'
import { check, type Suite } from '../suite.js'

const AT_A_TIME = 16
const SETTLE_MS = 300

/** Sandboxes that ran one line and wait. */
async function idleSandboxes(supervisor: Supervisor, count: number, cell?: string): Promise<Sandbox[]> {
  const sandboxes: Sandbox[] = []
  while (sandboxes.length < count) {
    const some = Math.min(AT_A_TIME, count - sandboxes.length)
    const batch = Array.from({ length: some }, async (_, i) => {
      const sandbox = await supervisor.spawn(`idle-${sandboxes.length + i}`, { cell })
      await sandbox.exec('first = 6 * 7')
      return sandbox
    })
    sandboxes.push(...(await Promise.all(batch)))
  }
  check((await sandboxes.at(-1)!.eval('first')) === 42, 'the last of the idle')
  await delay(SETTLE_MS)
  return sandboxes
}

interface Taken {
  readonly private: number[]
  readonly proportional: number[]
  /** KiB that this process grew by, for each sandbox. */
  readonly supervisor: number
}

/** Ours after collecting garbage. */
function ownRss(): number {
  collectGarbage()
  return process.memoryUsage.rss() / 1024
}

async function processes(context: Context, count: number): Promise<Taken> {
  await using supervisor = context.supervisor({ pool: { size: 0 } })
  await idleSandboxes(supervisor, 1).then(([first]) => first!.close())
  const before = ownRss()
  const sandboxes = await idleSandboxes(supervisor, count)
  const sizes = sandboxes.map(({ pid }) => memoryOf(pid))
  return { ...columns(sizes), supervisor: (ownRss() - before) / count }
}

/** What each further sandbox adds to its cell; the cell's own share is that of the first. */
async function interpreters(context: Context, count: number): Promise<Taken> {
  const limits = { memory: '64GiB', threads: 4 * count + 64, openFiles: 4096 } as const
  await using supervisor = context.supervisor({ pool: { size: 0 }, interpreters: { warm: 0, ...limits } })
  const cell = 'memory'
  const keeper = await supervisor.spawn('keeper', { cell })
  await keeper.exec('first = 6 * 7')
  await delay(SETTLE_MS)
  const [base, before] = [memoryOf(keeper.pid), ownRss()]
  await idleSandboxes(supervisor, count, cell)
  const full = memoryOf(keeper.pid)
  const each = (of: keyof MemoryKiB) => (full[of] - base[of]) / count
  return {
    private: [each('private')],
    proportional: [each('proportional')],
    supervisor: (ownRss() - before) / count,
  }
}

function columns(sizes: readonly MemoryKiB[]): Pick<Taken, 'private' | 'proportional'> {
  return { private: sizes.map((size) => size.private), proportional: sizes.map((size) => size.proportional) }
}

function memorySuite(
  name: string,
  limit: string,
  take: (context: Context, count: number) => Promise<Taken>,
  takeLimit: (context: Context, count: number) => Promise<Pick<Taken, 'private' | 'proportional'>>,
): Suite {
  return {
    name,
    limit,
    async run(context): Promise<Figure[]> {
      const peers: Peer[] = await memoryPeers(context)
      const figures: Figure[] = []
      for (const count of context.quick ? [8] : [100, 1000]) {
        context.step(`${count} sandboxes`)
        const floor = await takeLimit(context, count)
        const taken = await take(context, count)
        const unit = 'KiB'
        for (const of of ['private', 'proportional'] as const)
          figures.push(figure({ name: `${name}.${count}.${of}`, unit, samples: taken[of], limit: floor[of], peers }))
        figures.push(figure({ name: `${name}.${count}.supervisor`, unit, samples: [Math.max(0, taken.supervisor)] }))
      }
      return figures
    },
  }
}

export const memoryProcess = memorySuite(
  'memory.process',
  'the same interpreter with the same modules, forked as often, each having run one line',
  processes,
  async (context, count) => {
    using floor = context.floor()
    await using supervisor = context.supervisor({ pool: { size: 0 } })
    await floor.growLike(supervisor)
    return await floor.idle(count)
  },
)

export const memoryInterpreter = memorySuite(
  'memory.interpreter',
  'bare sub-interpreters of the same interpreter, as many, each having run one line',
  interpreters,
  async (context, count) => {
    using floor = context.floor()
    return await floor.interpreters(count)
  },
)
