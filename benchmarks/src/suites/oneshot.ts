import type { Supervisor } from '@pyisolate/core'
import type { Context } from '../context.js'
import { type Figure, figure, type Peer, peer } from '../figure.js'
import { alternate } from '../internal/alternate.js'
import { askRival, freshPython, IN_PROCESS, inBubblewrap, missingBubblewrap, rival } from '../peers/rivals.js'
import { check, type Suite } from '../suite.js'

/** Sandboxes under way at a time: enough that neither processor waits. */
const TOGETHER = 6
let count = 0

/** Spawn, run, answer, close; so many of them, and how many that is per second. */
async function rate(supervisor: Supervisor, shots: number): Promise<number> {
  const start = performance.now()
  let left = shots
  const worker = async () => {
    while (left-- > 0) {
      const n = count++
      const sandbox = await supervisor.spawn(`shot-${n}`)
      check((await sandbox.eval(`${n} * 2`)) === n * 2, 'a one-shot')
      await sandbox.close()
    }
  }
  await Promise.all(Array.from({ length: TOGETHER }, worker))
  return (shots * 1000) / (performance.now() - start)
}

export const oneshot: Suite = {
  name: 'oneshot',
  limit: 'fork, one line and exit of the same interpreter with the same modules, two at a time',
  async run(context): Promise<Figure[]> {
    await using supervisor = context.supervisor({ pool: { size: TOGETHER } })
    await using unconfined = context.unconfined(TOGETHER)
    using floor = context.floor()
    await floor.growLike(supervisor)

    context.step('measuring')
    const shots = context.count(300, 6)
    const parts = [
      () => rate(supervisor, shots),
      () => floor.rate(shots, 2),
      ...(unconfined ? [() => rate(unconfined, shots)] : []),
    ]
    await alternate(context.count(2, 1), parts) // to warm up
    const samples = await alternate(context.count(20, 2), parts)
    const peers: Peer[] = unconfined ? [peer('this engine, unconfined', samples[2]!, 'higher')] : []
    peers.push(...(await oneshotPeers(context)))
    return [
      figure({ name: this.name, unit: 'per s', samples: samples[0]!, limit: samples[1]!, peers, better: 'higher' }),
    ]
  },
}

async function oneshotPeers(context: Context): Promise<Peer[]> {
  if (!context.peers) return []
  context.step('peers')
  const fresh = freshPython(context, 'print(6 * 7 == 42 and 1)')
  const confined = inBubblewrap(fresh)
  return [
    await started(context, 'python -I -S', fresh),
    confined ? await started(context, missingBubblewrap.name, confined) : missingBubblewrap,
    ...(await Promise.all(
      IN_PROCESS.filter(({ module }) => module !== 'pyodide').map((one) =>
        rival(one.name, async () => {
          const { samples } = await askRival(one, 'spawn', context.count(2000, 5))
          return peer(
            `${one.name}, one at a time`,
            samples!.map((ns) => 1e9 / ns),
            'higher',
          )
        }),
      ),
    )),
  ]
}

/** Two helpers at a time, one for each processor. */
function started(context: Context, name: string, argv: readonly string[]): Promise<Peer> {
  return rival(name, async () => {
    using one = context.limits()
    using other = context.limits()
    const each = context.count(20, 1)
    const rates: number[] = []
    for (let round = 0; round < context.count(5, 1); round++) {
      const start = performance.now()
      const line = `spawn ${each} 0 ${argv.join('\t')}`
      await Promise.all([one.samples(line), other.samples(line)])
      rates.push((2 * each * 1000) / (performance.now() - start))
    }
    return peer(name, rates, 'higher')
  })
}
