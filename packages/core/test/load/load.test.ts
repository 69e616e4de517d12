// A thousand sandboxes at once, over sealed rings: what each is owed, and what none may take from the others.

import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { until } from '@pyisolate/test-kit'
import { afterAll, expect, it } from 'vitest'
import { createSupervisor, type Sandbox, type SpawnOptions } from '../../src/index.js'
import { holdings } from '../faults/support.js'
import { DeafLane, EchoLane, FloodLane } from './lanes.js'

/** The tests of a machine run twice: the long run is the first one. */
const seconds = Number(process.env.PYISOLATE_LOAD_SECONDS ?? (process.env.PYISOLATE_TEST_AS === 'user' ? 3 : 60))
const count = 1000
const [floods, ignored, deaf] = [4, 4, 4]
const ahead = 2
const unread = 256 * 1024
const MiB = 2 ** 20
const mib = (bytes: number) => (bytes / MiB).toFixed(1)

/** No sandbox gets less than this part of what the median one gets, nor more than its inverse. */
const leastShare = 0.5

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const supervisor = createSupervisor({ pool: { size: 0 }, preload: ['hashlib', 'threading'] })
afterAll(() => supervisor.close())

interface Memory {
  /** Bytes of the supervisor that don't depend on when garbage is collected. */
  readonly supervisor: number
  /** KiB of all cells that are theirs alone. */
  readonly cells: number
}

async function memory(sandboxes: readonly Sandbox[]): Promise<Memory> {
  // What the first finds is swept, and let go of, by the second.
  collect()
  await delay(1)
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return { supervisor: heapUsed + external, cells: sandboxes.reduce((sum, one) => sum + one.stats().privateKiB, 0) }
}

it(
  'a thousand sandboxes exchange: all of it, in order, in bounded memory, each its share',
  async () => {
    let number = 0
    const spawn = (options?: SpawnOptions) => supervisor.spawn(`lane-${number++}`, options)
    const before = holdings()
    let over = false
    const stopped = () => over
    const usual = await Promise.all(Array.from({ length: count - floods - ignored - deaf }, () => spawn()))
    const lanes = usual.map((sandbox, lane) => new EchoLane(lane, sandbox, ahead, stopped))
    const flooding = await Promise.all(Array.from({ length: floods }, async (_, n) => new FloodLane(n, await spawn())))
    const waiting = await Promise.all(
      Array.from({ length: ignored }, async (_, n) => new FloodLane(floods + n, await spawn({ limits: { unread } }))),
    )
    const sleeping = await Promise.all(Array.from({ length: deaf }, async () => new DeafLane(await spawn(), stopped)))
    const all = supervisor.sandboxes()
    expect(new Set(all.map(({ pid }) => pid)).size).toBe(count)

    await Promise.all([...flooding, ...waiting].map((lane) => lane.start()))
    const running = Promise.all([
      ...flooding.map((lane) => lane.read()),
      ...sleeping.map((lane) => lane.run()),
      ...lanes.map((lane) => lane.run()),
    ])
    running.catch(() => {})

    // Everything is warm once each has had some.
    await until(() => lanes.every(({ exchanged }) => exchanged > 2), 120_000, 'the first answers of each')
    const started = lanes.map(({ exchanged }) => exchanged)
    const begin = performance.now()
    await delay((seconds * 1000) / 2)
    const early = await memory(all)
    const atRest = sleeping.map(({ accepted }) => accepted)
    const rss: number[] = []
    while (performance.now() - begin < seconds * 1000) {
      rss.push(process.memoryUsage.rss())
      await Promise.race([delay(Math.min(1000, seconds * 100)), running])
    }
    const counts = lanes.map(({ exchanged }, n) => exchanged - started[n]!).sort((a, b) => a - b)
    const ms = performance.now() - begin
    const late = await memory(all)

    // Of who reads nothing, or is read by nobody, this side keeps what it may, and no more.
    for (const { sandbox } of waiting) {
      expect(sandbox.stats().unreadBytes).toBeGreaterThanOrEqual(unread / 2)
      expect(sandbox.stats().unreadBytes).toBeLessThan(unread + 64 * 1024)
    }
    expect(sleeping.map(({ accepted }) => accepted)).toEqual(atRest)
    expect(Math.max(...atRest)).toBeLessThan(512 * 1024)

    // And then all of it comes.
    over = true
    for (const lane of [...flooding, ...waiting]) await lane.stop()
    for (const lane of sleeping) lane.wake()
    await Promise.all([running, ...waiting.map((lane) => lane.read())])

    const median = counts[counts.length >> 1]!
    expect(counts[0]).toBeGreaterThanOrEqual(leastShare * median - 1)
    expect(counts.at(-1)).toBeLessThanOrEqual(median / leastShare + 1)
    expect(Math.max(...rss) - rss[0]!).toBeLessThan(128 * MiB)
    // Of the gigabyte that crosses in half a minute, this much at most is on its way or not yet collected, ...
    expect(late.supervisor - early.supervisor).toBeLessThan(64 * MiB)
    // ... and of the half mebibyte for each cell: allocators take some time to settle.
    expect((late.cells - early.cells) / count).toBeLessThan(256)
    console.log(
      `${count} sandboxes, ${Math.round((counts.reduce((sum, one) => sum + one, 0) * 1000) / ms)} exchanges/s,`,
      `of each ${counts[0]} to ${counts.at(-1)}, median ${median}; the supervisor's heap ${mib(late.supervisor)} MiB,`,
      `a cell ${Math.round(late.cells / count)} KiB`,
    )

    await Promise.all(all.map((sandbox) => sandbox.close()))
    await until(() => holdings().children <= before.children + 1, 10_000, 'the end of every cell')
  },
  (seconds + 180) * 1000,
)
