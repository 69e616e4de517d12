import { createIo, type Io, type IoBackend, type IoStream } from '@pyisolate/native'
import type { Context } from '../context.js'
import { type Figure, figure, peer } from '../figure.js'
import { alternate } from '../internal/alternate.js'
import { check, type Suite } from '../suite.js'

const SIZE = 1000
const localhost = { host: '127.0.0.1', port: 0 }

/** One end of an echo: what is brokered is the side that asks; the other answers on the same thread. */
interface Echo {
  readonly io: Io
  /** Echoes per second when every stream sends and waits for its answer, so many times. */
  run(rounds: number): Promise<number>
  close(): Promise<void>
}

async function answer(stream: IoStream): Promise<void> {
  for await (const bytes of stream) await stream.write(bytes)
}

async function ask(stream: IoStream, sent: Uint8Array, rounds: number): Promise<void> {
  for (let n = 0; n < rounds; n++) {
    await stream.write(sent)
    let left = SIZE
    while (left > 0) {
      const got = await stream.read()
      check(got !== undefined && got[0] === sent[SIZE - left] && got.at(-1) === sent[0], 'an echo')
      left -= got.length
    }
  }
}

async function open(backend: IoBackend, count: number): Promise<Echo> {
  const io = createIo({ backend })
  const listener = await io.listen(localhost, { window: count })
  const streams: IoStream[] = []
  for (let n = 0; n < count; n++) {
    streams.push(await io.connect({ host: '127.0.0.1', port: listener.port }))
    // What fails shows at the other end.
    answer(await listener.accept()).catch(() => {})
  }
  return {
    io,
    async run(rounds) {
      const start = performance.now()
      await Promise.all(streams.map((stream, n) => ask(stream, new Uint8Array(SIZE).fill(n + 1), rounds)))
      return (count * rounds * 1000) / (performance.now() - start)
    },
    close: () => io.close(),
  }
}

async function measure(context: Context, name: string): Promise<Figure[]> {
  const count = context.count(1000, 20)
  const rounds = context.count(5, 1)
  context.step(`connecting ${count} twice`)
  const uring = await open('io_uring', count)
  const epoll = await open('epoll', count)
  context.step('measuring')
  try {
    const parts = [uring, epoll].map((echo) => async () => [await echo.run(rounds)])
    await alternate(context.count(3, 1), parts) // to warm up
    const before = [uring, epoll].map(({ io }) => io.stats())
    const [first, second] = await alternate(context.count(20, 2), parts)
    const batches = [uring, epoll].map(({ io }, n) => {
      const after = io.stats()
      return [(after.operations - before[n]!.operations) / (after.wakeups - before[n]!.wakeups)]
    })
    return [
      figure({
        name: `${name}.echo.1kB`,
        unit: 'per s',
        samples: first!,
        limit: second!,
        better: 'higher',
        peers: [peer('epoll', second!, 'higher')],
      }),
      figure({
        name: `${name}.batch`,
        unit: 'per wake-up',
        samples: batches[0]!,
        limit: batches[1]!,
        better: 'higher',
        peers: [peer('epoll', batches[1]!, 'higher')],
      }),
    ]
  } finally {
    await Promise.all([uring.close(), epoll.close()])
  }
}

export const brokerIo: Suite = {
  name: 'broker.io',
  limit: 'the same on epoll',
  run(context) {
    return measure(context, this.name)
  },
}
