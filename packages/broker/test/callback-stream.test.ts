import { channelCompliance } from '@pyisolate/test-kit/compliance'
import { describe, expect, it } from 'vitest'
import { type BytePortDriver, callbackStream } from '../src/index.js'
import { collect, openPair, settle } from './support/open.js'

/** Two ports that hold up to `room` bytes between them and hand them on in pieces of `piece`, as two rings do. */
function ringPair(room = 65_536, piece = 20_000): [BytePortDriver, BytePortDriver] {
  const queues: Uint8Array[][] = [[], []]
  const paused = [false, false]
  const ended = [false, false]
  const drivers: BytePortDriver[] = []
  const size = (at: number) => queues[at]!.reduce((sum, { length }) => sum + length, 0)
  const pump = (to: number) =>
    queueMicrotask(() => {
      while (queues[to]!.length > 0 && !paused[to]) drivers[to]!.push(queues[to]!.shift()!)
      if (size(to) < room) drivers[1 - to]!.drained()
      if (ended[to] && queues[to]!.length === 0) drivers[to]!.ended()
    })
  for (const own of [0, 1]) {
    const other = 1 - own
    drivers.push(
      callbackStream({
        send(bytes) {
          for (let at = 0; at < bytes.length; at += piece) queues[other]!.push(bytes.slice(at, at + piece))
          pump(other)
          return size(other) < room
        },
        pause: () => {
          paused[own] = true
        },
        resume: () => {
          paused[own] = false
          pump(own)
        },
        end: () => {
          ended[other] = true
          pump(other)
        },
        destroy: () => {
          ended[other] = true
          pump(other)
        },
      }),
    )
  }
  return drivers as [BytePortDriver, BytePortDriver]
}

const streams = (...args: Parameters<typeof ringPair>) => {
  const [first, second] = ringPair(...args)
  return [first.stream, second.stream] as const
}

channelCompliance('a channel over ports', { open: () => openPair({}, {}, streams()) })
channelCompliance('a channel over ports with large pieces', { open: () => openPair({}, {}, streams(300_000, 200_000)) })

describe('a stream over a port', () => {
  it('tells a channel when the port fails or ends', async () => {
    for (const [die, problem] of [
      [(driver: BytePortDriver) => driver.failed(new Error('the ring is broken')), 'transport'],
      [(driver: BytePortDriver) => driver.ended(), 'truncated'],
    ] as const) {
      const [first, second] = ringPair()
      const [, theirs] = await openPair({}, {}, [first.stream, second.stream])
      await settle()
      die(second)
      expect(await collect(theirs)).toMatchObject({ messages: [], error: { problem } })
    }
  })

  it('keeps what comes before there is a reader, and what comes while it is paused', async () => {
    const [first] = ringPair()
    first.push(Uint8Array.of(1))
    first.push(Uint8Array.of(2, 3))
    const seen: number[][] = []
    let over = false
    first.stream.start({
      data(bytes) {
        seen.push([...bytes])
        if (seen.length === 1) first.stream.pause()
      },
      end: () => {
        over = true
      },
      fail: () => {},
    })
    expect(seen).toEqual([])
    await settle(1)
    expect(seen).toEqual([[1]])
    first.ended()
    expect(over).toBe(false)
    first.stream.resume()
    await settle(1)
    expect(seen).toEqual([[1], [2, 3]])
    expect(over).toBe(true)
  })
})
