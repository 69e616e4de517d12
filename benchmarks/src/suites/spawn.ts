import { setTimeout as delay } from 'node:timers/promises'
import type { Sandbox, SpawnOptions, Supervisor, SupervisorOptions } from '@pyisolate/core'
import type { Context } from '../context.js'
import { type Figure, figure, type Peer, peer } from '../figure.js'
import { alternate, nsToUs } from '../internal/alternate.js'
import { spawnPeers } from '../peers/spawn-peers.js'
import { check, type Suite } from '../suite.js'

/** Long enough for the pool to be full again, and for the processors to go to sleep: each spawn is a lonely one. */
const SETTLE_MS = 4
const POOL = 4
const PATIENCE_MS = 10_000
const CELL = 'bench'

let spawned = 0

/** Microseconds from the spawn call to knowing that the first line of guest code ran. */
async function timeSpawn(supervisor: Supervisor, options: SpawnOptions): Promise<number> {
  const start = performance.now()
  const sandbox = await supervisor.spawn(`spawn-${spawned++}`, options)
  await sandbox.exec('first = 6 * 7')
  const took = (performance.now() - start) * 1000
  check((await sandbox.eval('first')) === 42, 'the first line')
  await sandbox.close()
  return took
}

/** Waits for a full pool; it starts to fill with a supervisor's first spawn. */
async function settle(supervisor: Supervisor, pool: number): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  while (supervisor.stats().pooled < pool) {
    if (performance.now() > until) throw new Error(`the pool has ${supervisor.stats().pooled} of ${pool} cells`)
    await delay(1)
  }
  await delay(SETTLE_MS)
}

interface Variant {
  readonly name: string
  readonly limit: string
  readonly pool: number
  readonly supervisor: SupervisorOptions
  readonly spawn: SpawnOptions
  readonly rounds: number
  /** Nanoseconds. */
  takeLimit(tools: Tools): Promise<number[]>
  /** Further floors, by name. */
  readonly others: Readonly<Record<string, (tools: Tools) => Promise<number[]>>>
}

interface Tools {
  readonly limits: ReturnType<Context['limits']>
  readonly floor: ReturnType<Context['floor']>
  readonly zygoteMiB: number
}

function spawnSuite(variant: Variant): Suite {
  const { name, limit, pool, spawn } = variant
  return {
    name,
    limit,
    async run(context): Promise<Figure[]> {
      await using supervisor = context.supervisor(variant.supervisor)
      await using unconfined = context.unconfined(pool)
      using limits = context.limits()
      using floor = context.floor()
      await floor.growLike(supervisor)
      const tools = { limits, floor, zygoteMiB: await zygoteSize(supervisor) }
      // Keeps a shared cell alive, and the warm interpreters in it.
      const keeper = spawn.cell === undefined ? undefined : await supervisor.spawn('keeper', spawn)
      const unconfinedKeeper = spawn.cell === undefined ? undefined : await unconfined?.spawn('keeper', spawn)

      for (const whose of [supervisor, unconfined]) if (whose) await timeSpawn(whose, spawn)

      context.step('measuring')
      const ours = async (whose: Supervisor) => {
        await settle(whose, pool)
        return timeSpawn(whose, spawn)
      }
      const others = Object.entries(variant.others)
      const parts = [
        () => ours(supervisor),
        () => variant.takeLimit(tools),
        ...others.map(
          ([, take]) =>
            () =>
              take(tools),
        ),
        ...(unconfined ? [() => ours(unconfined)] : []),
      ]
      await alternate(context.count(10, 1), parts) // to warm up
      const samples = await alternate(context.count(variant.rounds, 3), parts)
      await closeAll(keeper, unconfinedKeeper)

      const floors: Peer[] = others.map(([what], at) => peer(what, nsToUs(samples[at + 2]!)))
      if (unconfined) floors.push(peer('this engine, unconfined', samples.at(-1)!))
      const peers = [...floors, ...(await spawnPeers(context, limits))]
      return [figure({ name, unit: 'µs', samples: samples[0]!, limit: nsToUs(samples[1]!), peers })]
    },
  }
}

async function closeAll(...sandboxes: (Sandbox | undefined)[]): Promise<void> {
  for (const sandbox of sandboxes) await sandbox?.close()
}

/** What a fork of the zygote has to copy the page tables of, in MiB: a fresh sandbox has just been its copy. */
async function zygoteSize(supervisor: Supervisor): Promise<number> {
  const sandbox = await supervisor.spawn('size')
  const { rssKiB } = sandbox.stats()
  await sandbox.close()
  return Math.max(1, Math.round(rssKiB / 1024))
}

const paceUs = SETTLE_MS * 1000
const pingPong = ({ limits }: Tools) => limits.samples(`eventfd 1 ${paceUs}`)
const threadStart = ({ limits }: Tools) => limits.samples(`thread 1 ${paceUs}`)
const bareFork = ({ limits, zygoteMiB }: Tools) => limits.samples(`fork 1 ${paceUs} ${zygoteMiB}`)

export const spawnProcessCold = spawnSuite({
  name: 'spawn.process.cold',
  limit: 'the same interpreter with the same modules, forked, to its first line',
  pool: 0,
  supervisor: { pool: { size: 0 } },
  spawn: {},
  rounds: 300,
  takeLimit: ({ floor }) => floor.fork(1, paceUs),
  others: { 'fork of equal size, no Python': bareFork, 'eventfd ping-pong': pingPong },
})

export const spawnProcessPool = spawnSuite({
  name: 'spawn.process.pool',
  limit: 'eventfd ping-pong between two processes',
  pool: POOL,
  supervisor: { pool: { size: POOL } },
  spawn: {},
  rounds: 300,
  takeLimit: pingPong,
  others: { 'bare interpreter forked, to its first line': ({ floor }) => floor.fork(1, paceUs) },
})

export const spawnInterpreterPool = spawnSuite({
  name: 'spawn.interpreter.pool',
  limit: 'eventfd ping-pong between two processes',
  pool: 0,
  // A new interpreter takes longer than the pause between two spawns: enough of them are kept for a run of samples.
  supervisor: { pool: { size: 0 }, interpreters: { warm: 8 } },
  spawn: { cell: CELL },
  rounds: 150,
  takeLimit: pingPong,
  others: { 'thread start': threadStart },
})
