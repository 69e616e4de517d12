import { type Channel, PyIsolateError } from '@pyisolate/interface'
import { describe, expect, it } from 'vitest'
import { until } from '../internal/until.js'

export interface ChannelComplianceOptions {
  /** Both ends of a new channel for each test. */
  readonly open: () => Promise<readonly [Channel, Channel]>
  /** More bytes than a channel holds on to between its ends while nobody reads. Default 64 MiB. */
  readonly beyondBuffers?: number
}

const text = (value: string) => new TextEncoder().encode(value)
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function collect(channel: Channel, messages: Uint8Array[] = []): Promise<Uint8Array[]> {
  for await (const message of channel.messages()) messages.push(message)
  return messages
}

/** What every `Channel` promises its callers. */
export function channelCompliance(name: string, { open, beyondBuffers = 64 << 20 }: ChannelComplianceOptions): void {
  describe(`${name} keeps the promises of Channel`, () => {
    it('carries messages whole, in order and once, both ways at once', async () => {
      const [first, second] = await open()
      const lengths = [0, 1, 17, 5000, 100_000, 3]
      const arrived: Uint8Array[][] = [[], []]
      const reading = [collect(first, arrived[0]), collect(second, arrived[1])]
      await Promise.all(
        lengths.flatMap((length, at) => {
          const message = new Uint8Array(length).fill(at)
          return [first.send(message), second.send(message)]
        }),
      )
      await until(() => arrived.every((messages) => messages.length >= lengths.length), 20_000, 'every message')
      await Promise.all([first.close(), second.close()])
      for (const messages of await Promise.all(reading)) {
        expect(messages.map(({ length }) => length)).toEqual(lengths)
        expect(messages.every((message, at) => message.every((byte) => byte === at))).toBe(true)
      }
    })

    it('has taken the bytes over when a send resolves, and gives readers bytes of their own', async () => {
      const [first, second] = await open()
      const reading = collect(second)
      const bytes = new Uint8Array(1)
      for (let value = 0; value < 100; value++) {
        bytes[0] = value
        await first.send(bytes)
      }
      await first.close()
      expect((await reading).map(([byte]) => byte)).toEqual([...Array(100).keys()])
    })

    it('holds a writer back while nobody reads, and loses nothing', async () => {
      const [first, second] = await open()
      const size = 64 << 10
      const count = Math.ceil(beyondBuffers / size)
      let sent = 0
      const sending = (async () => {
        for (; sent < count; sent++) await first.send(new Uint8Array(size).fill(sent))
      })()
      await pause(300)
      const held = sent
      expect(held).toBeLessThan(count)
      let received = 0
      for await (const message of second.messages()) {
        expect(message[0]).toBe(received & 0xff)
        if (++received === count) break
      }
      await sending
      await Promise.all([first.close(), second.close()])
    }, 60_000)

    it('delivers what was sent before a close, and then ends both sides', async () => {
      const [first, second] = await open()
      const ours = collect(first)
      const sends = [first.send(text('one')), first.send(text('two'))]
      await Promise.all([...sends, first.close(), first.close()])
      expect((await collect(second)).map((bytes) => new TextDecoder().decode(bytes))).toEqual(['one', 'two'])
      expect(await ours).toEqual([])
      await second.close()
      await first[Symbol.asyncDispose]()
    })

    it('rejects a send after the end with a typed error', async () => {
      const [first, second] = await open()
      const reading = collect(second)
      await first.close()
      await reading
      for (const channel of [first, second]) {
        const error = await channel.send(text('late')).then(
          () => undefined,
          (reason: unknown) => reason,
        )
        expect(PyIsolateError.isInstance(error)).toBe(true)
      }
    })

    it('stops waiting when a signal says so', async () => {
      const [first, second] = await open()
      const aborted = { signal: AbortSignal.abort(new Error('given up')) }
      await expect(first.send(text('never'), aborted)).rejects.toThrow('given up')
      const reader = second.messages({ signal: AbortSignal.timeout(20) })[Symbol.asyncIterator]()
      await expect(reader.next()).rejects.toThrow(/time/)
      await first.send(text('still open'))
      const next = await second.messages()[Symbol.asyncIterator]().next()
      expect(next.value).toEqual(text('still open'))
      await Promise.all([first.close(), second.close()])
    })
  })
}
