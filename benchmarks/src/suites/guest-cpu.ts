import type { Sandbox } from '@pyisolate/core'
import type { Context } from '../context.js'
import { type Figure, figure, type Peer, peer } from '../figure.js'
import { alternate } from '../internal/alternate.js'
import { askRival, IN_PROCESS, rival } from '../peers/rivals.js'
import { inTurn } from '../peers/spawn-peers.js'
import { geometricMean } from '../statistics.js'
import { check, type Suite } from '../suite.js'
import { TIMED, type Workload, workloads } from './workloads.js'

const runsPerSecond = (samples: readonly number[]) => samples.map((ns) => 1e9 / ns)

/** Runs per second in a sandbox, one sample. */
async function sample(sandbox: Sandbox, { name, answer }: Workload): Promise<number> {
  const [ns, answered] = await sandbox.eval<[number, number]>('timed()')
  check(answered === answer, `${name}: ${answered}`)
  return 1e9 / ns
}

export const guestCpu: Suite = {
  name: 'guest.cpu',
  limit: 'the same engine without confinement, else the same interpreter as a program of its own',
  async run(context): Promise<Figure[]> {
    await using supervisor = context.supervisor({ pool: { size: 0 } })
    await using unconfined = context.unconfined(0)
    using floor = context.floor()
    const figures: Figure[] = []
    for (const workload of workloads) {
      context.step(workload.name)
      const source = workload.source + TIMED
      const all = [
        await supervisor.spawn(`confined-${workload.name}`),
        await supervisor.spawn(`interpreter-${workload.name}`, { cell: 'bench' }),
        ...(unconfined ? [await unconfined.spawn(`unconfined-${workload.name}`)] : []),
      ]
      await Promise.all(all.map((sandbox) => sandbox.exec(source)))
      const bare = async () => {
        const { samples, answer } = await floor.cpu(source, 1)
        check(answer === workload.answer, `${workload.name}: ${answer}`)
        return runsPerSecond(samples)
      }
      const parts = [bare, ...all.map((sandbox) => () => sample(sandbox, workload))]
      await alternate(context.count(5, 1), parts) // to warm up
      const [program, confined, interpreter, open] = await alternate(context.count(40, 3), parts)
      await Promise.all(all.map((sandbox) => sandbox.close()))
      const peers = [
        peer('interpreter isolation', interpreter!, 'higher'),
        peer('python -I -S', program!, 'higher'),
        ...(await cpuPeers(context, workload)),
      ]
      const name = `${this.name}.${workload.name}`
      figures.push(
        figure({ name, unit: 'per s', samples: confined!, limit: open ?? program!, peers, better: 'higher' }),
      )
    }
    const ratio = geometricMean(figures.map((one) => one.ratio!))
    return [figure({ name: this.name, unit: '× limit', samples: [ratio], limit: 1, better: 'higher' }), ...figures]
  },
}

async function cpuPeers(context: Context, { source, answer }: Workload): Promise<Peer[]> {
  if (!context.peers) return []
  return inTurn(IN_PROCESS, (one) =>
    rival(one.name, async () => {
      const run = await askRival(one, 'cpu', source, context.count(20, 1))
      check(run.answer === answer, `${one.name} answered ${run.answer}`)
      return peer(one.name, runsPerSecond(run.samples!), 'higher')
    }),
  )
}
