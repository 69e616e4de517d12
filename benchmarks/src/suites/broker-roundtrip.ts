import type { Context } from '../context.js'
import { type Figure, figure } from '../figure.js'
import { alternate } from '../internal/alternate.js'
import { BATCH, echoes, echoing } from '../internal/echo.js'
import type { Suite } from '../suite.js'

export const brokerRoundtrip: Suite = {
  name: 'broker.roundtrip.1kB',
  limit: 'the same in rings that are not sealed',
  async run(context: Context): Promise<Figure[]> {
    await using sealing = context.supervisor({ pool: { size: 0 } })
    await using plain = context.unsealed()
    const sealed = await echoing(await sealing.spawn('sealed'))
    const unsealed = await echoing(await plain.spawn('unsealed'))

    context.step('measuring')
    const count = context.count(BATCH, 3)
    const parts = [() => echoes(sealed, count), () => echoes(unsealed, count)]
    await alternate(context.count(20, 1), parts) // to warm up
    const [samples, limit] = await alternate(context.count(200, 2), parts)
    await Promise.all([sealed.close(), unsealed.close()])
    return [figure({ name: this.name, unit: 'µs', samples: samples!, limit: limit! })]
  },
}
