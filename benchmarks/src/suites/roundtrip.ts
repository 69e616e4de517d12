import type { Context } from '../context.js'
import { type Figure, figure, type Peer, peer } from '../figure.js'
import { alternate, nsToUs } from '../internal/alternate.js'
import { BATCH, echoes, echoing, TEXT } from '../internal/echo.js'
import { PipedPython } from '../peers/piped-python.js'
import { askRival, freshPython, IN_PROCESS, rival } from '../peers/rivals.js'
import { inTurn } from '../peers/spawn-peers.js'
import type { Suite } from '../suite.js'

export const roundtrip1kB: Suite = {
  name: 'roundtrip.1kB',
  limit: 'eventfd ping-pong between two processes',
  async run(context): Promise<Figure[]> {
    await using supervisor = context.supervisor({ pool: { size: 0 } })
    await using unconfined = context.unconfined(0)
    using limits = context.limits()
    const process = await echoing(await supervisor.spawn('echo'))
    const interpreter = await echoing(await supervisor.spawn('echo-interpreter', { cell: 'bench' }))
    const open = unconfined && (await echoing(await unconfined.spawn('echo')))

    context.step('measuring')
    const count = context.count(BATCH, 3)
    const parts = [
      () => echoes(process, count),
      () => limits.samples(`eventfd ${count} 0`),
      () => echoes(interpreter, count),
      ...(open ? [() => echoes(open, count)] : []),
    ]
    await alternate(context.count(20, 1), parts) // to warm up
    const samples = await alternate(context.count(100, 2), parts)
    await Promise.all([process.close(), interpreter.close(), open?.close()])

    const peers: Peer[] = [peer('interpreter isolation', samples[2]!)]
    if (open) peers.push(peer('this engine, unconfined', samples[3]!))
    peers.push(...(await roundtripPeers(context)))
    return [figure({ name: this.name, unit: 'µs', samples: samples[0]!, limit: nsToUs(samples[1]!), peers })]
  },
}

async function roundtripPeers(context: Context): Promise<Peer[]> {
  if (!context.peers) return []
  context.step('peers')
  const count = context.count(1000, 3)
  const piped = 'python -I -S over pipes'
  return [
    await rival(piped, async () => {
      await using python = new PipedPython(freshPython(context, PipedPython.program))
      return peer(piped, await python.roundTrips(TEXT, count))
    }),
    ...(await inTurn(IN_PROCESS, (one) =>
      rival(one.name, async () => {
        const { samples } = await askRival(one, 'roundtrip', count, TEXT)
        return peer(`${one.name}, a call in this process`, nsToUs(samples!))
      }),
    )),
  ]
}
