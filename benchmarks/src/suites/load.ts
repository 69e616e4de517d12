import type { Sandbox } from '@pyisolate/core'
import type { Context } from '../context.js'
import { type Figure, figure } from '../figure.js'
import { check, type Suite } from '../suite.js'

const TEXT = 'x'.repeat(1000)
/** Messages that each sandbox has under way. */
const AHEAD = 2

interface Echo {
  readonly sandbox: Sandbox
  exchanged: number
}

async function open(sandbox: Sandbox): Promise<Echo> {
  // It ends with the sandbox, and the call with it.
  sandbox.exec('while True: post(recv())', { timeout: Number.POSITIVE_INFINITY }).catch(() => {})
  await sandbox.send(TEXT)
  check((await sandbox.recv()) === TEXT, 'the first echo')
  return { sandbox, exchanged: 0 }
}

/** Exchanges until `over`, and takes what is still under way then. */
async function exchange(echo: Echo, over: () => boolean): Promise<void> {
  const { sandbox } = echo
  for (let ahead = 0; ahead < AHEAD; ahead++) await sandbox.send(TEXT)
  for (let left = AHEAD; left > 0; echo.exchanged++) {
    check((await sandbox.recv()) === TEXT, 'an echo')
    if (over()) left--
    else await sandbox.send(TEXT)
  }
}

async function measure(context: Context, name: string): Promise<Figure[]> {
  const count = context.count(1000, 20)
  const ms = context.count(2000, 50)
  await using supervisor = context.supervisor({ pool: { size: 0 } })
  using limits = context.limits()
  context.step(`starting ${count} sandboxes`)
  const spawned = await Promise.all(Array.from({ length: count }, (_, n) => supervisor.spawn(`echo-${n}`)))
  const echoes = await Promise.all(spawned.map(open))
  context.step('measuring')
  const rates: number[] = []
  const shares: number[] = []
  const perSecond: number[] = []
  for (let round = -context.count(2, 1); round < context.count(10, 2); round++) {
    const start = performance.now()
    const before = echoes.map(({ exchanged }) => exchanged)
    await Promise.all(echoes.map((echo) => exchange(echo, () => performance.now() - start > ms)))
    const took = performance.now() - start
    const pings = await limits.samples(`eventfd ${context.count(1000, 10)} 0`)
    if (round < 0) continue // to warm up
    const counts = echoes.map(({ exchanged }, n) => exchanged - before[n]!).sort((a, b) => a - b)
    rates.push((counts.reduce((sum, one) => sum + one, 0) * 1000) / took)
    shares.push(counts[0]! / counts[count >> 1]!)
    perSecond.push(...pings.map((ns) => 1e9 / ns))
  }
  return [
    figure({ name: `${name}.rate`, unit: 'per s', samples: rates, limit: perSecond, better: 'higher' }),
    figure({ name: `${name}.least`, unit: '× median', samples: shares, limit: 1, better: 'higher' }),
  ]
}

/** Round trips of all of a thousand sandboxes together, and what the least of them got of what the median one did. */
export const brokerLoad: Suite = {
  name: 'broker.load',
  limit: 'eventfd ping-pongs between two processes, one after the other; an equal share',
  run(context) {
    return measure(context, this.name)
  },
}
