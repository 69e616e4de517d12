import { describe, expect, it } from 'vitest'
import { BrokerOptionError, type ByteStream, ChannelError, memoryStreamPair } from '../src/index.js'
import { collect, openPair, settle } from './support/open.js'

const text = (value: string) => new TextEncoder().encode(value)
const problem = (name: string) => expect.objectContaining({ code: 'ERR_PYISOLATE_CHANNEL', problem: name })

describe('messages', () => {
  it('arrive whole, in order and once, both ways, whatever their length', async () => {
    const [ours, theirs] = await openPair()
    const lengths = [0, 1, 2, 16, 1000, 65_515, 65_516, 65_517, 131_032, 131_033, 300_000, 0, 3]
    const sent = lengths.map((length, at) => new Uint8Array(length).fill(at + 1))
    const reading = Promise.all([collect(theirs), collect(ours)])
    await Promise.all(sent.flatMap((message) => [ours.send(message), theirs.send(message)]))
    await settle(50)
    await ours.close()
    const [first, second] = await reading
    for (const { messages, error } of [first, second]) {
      expect(error).toBeUndefined()
      expect(messages.map(({ length }) => length)).toEqual(lengths)
      // Byte by byte would take the assertion seconds.
      expect(messages.every((message, at) => Buffer.compare(message, sent[at]!) === 0)).toBe(true)
    }
  })

  it('belong to who reads them', async () => {
    const [ours, theirs] = await openPair()
    const reading = collect(theirs)
    for (let i = 0; i < 100; i++) await ours.send(Uint8Array.of(i))
    await ours.close()
    expect((await reading).messages.map(([byte]) => byte)).toEqual([...Array(100).keys()])
  })

  it('can be borrowed, and the bytes are overwritten afterwards', async () => {
    const [ours, theirs] = await openPair()
    await ours.send(text('first'))
    await ours.send(text('second'))
    expect(await theirs.readable()).toBe(true)
    const first = theirs.take()!
    expect(new TextDecoder().decode(first)).toBe('first')
    await ours.send(text('third'))
    await settle()
    expect(new TextDecoder().decode(first)).toBe('first')
    expect(new TextDecoder().decode(theirs.take())).toBe('second')
    expect(new TextDecoder().decode(theirs.take())).toBe('third')
    expect(theirs.take()).toBeUndefined()
    expect(new TextDecoder().decode(first)).not.toBe('first')
    await ours.close()
    expect(await theirs.readable()).toBe(false)
  })

  it('a borrowed one outlives what comes meanwhile, up to the limit', async () => {
    const [ours, theirs] = await openPair({ limits: { receiveBytes: 192 * 1024 } })
    await ours.send(new Uint8Array(1000).fill(1))
    await theirs.readable()
    const lent = theirs.take()!
    const sending = (async () => {
      for (let i = 0; i < 40; i++) await ours.send(new Uint8Array(60_000).fill(2))
    })()
    await settle(100)
    expect(lent.every((byte) => byte === 1)).toBe(true)
    let count = 0
    while (count < 40 && (await theirs.readable())) while (theirs.take() !== undefined) count++
    await sending
    expect(count).toBe(40)
  })

  it('are shared by several readers', async () => {
    const [ours, theirs] = await openPair()
    const readers = [collect(theirs), collect(theirs), collect(theirs)]
    for (let i = 0; i < 50; i++) await ours.send(Uint8Array.of(i))
    await ours.close()
    const all = (await Promise.all(readers)).flatMap(({ messages }) => messages.map(([byte]) => byte!))
    expect(all.sort((a, b) => a - b)).toEqual([...Array(50).keys()])
  })

  it('sent in one turn travel together', async () => {
    const writes: number[] = []
    const [first, second] = memoryStreamPair()
    const counted: ByteStream = Object.create(first, {
      write: {
        value: (bytes: Uint8Array, done: () => void) => {
          writes.push(bytes.length)
          first.write(bytes, done)
        },
      },
      start: { value: first.start.bind(first) },
      pause: { value: first.pause.bind(first) },
      resume: { value: first.resume.bind(first) },
      end: { value: first.end.bind(first) },
      destroy: { value: first.destroy.bind(first) },
    })
    const [ours] = await openPair({}, {}, [counted, second])
    await settle()
    writes.length = 0
    await Promise.all(Array.from({ length: 100 }, () => ours.send(new Uint8Array(10))))
    await settle()
    expect(writes).toEqual([100 * (2 + 3 + 10 + 16)])
  })
})

describe('a slow reader', () => {
  it('holds the writer back, and nothing is lost', async () => {
    const limits = { receiveBytes: 192 * 1024, sendBytes: 128 * 1024, maxWaitingSends: 10_000 }
    const [ours, theirs] = await openPair({ limits })
    let sent = 0
    const sending = Array.from({ length: 2000 }, async (_, at) => {
      await ours.send(new Uint8Array(1000).fill(at))
      sent++
    })
    await settle(50)
    const held = sent
    expect(held).toBeLessThan(600)
    expect(ours.stats().waiting).toBe(2000 - held)
    await settle(50)
    expect(sent).toBe(held)
    const reading = collect(theirs)
    await Promise.all(sending)
    await ours.close()
    const { messages } = await reading
    expect(messages.map(([byte]) => byte)).toEqual(Array.from({ length: 2000 }, (_, at) => at & 0xff))
  })

  it('is waited for by no more sends than allowed', async () => {
    const [ours] = await openPair({ limits: { maxWaitingSends: 2 } })
    const results = await Promise.allSettled([
      ...Array.from({ length: 40 }, () => Promise.race([ours.send(new Uint8Array(60_000)), settle(20)])),
    ])
    const refused = results.filter(({ status }) => status === 'rejected')
    expect(refused.length).toBeGreaterThan(0)
    expect(refused[0]).toEqual({ status: 'rejected', reason: problem('queue') })
    expect(ours.stats().waiting).toBeLessThanOrEqual(2)
  })

  it('may have a few messages or many bytes waiting', async () => {
    const [ours, theirs] = await openPair({ limits: { receiveMessages: 3 } })
    for (let i = 0; i < 20; i++) await ours.send(Uint8Array.of(i))
    await settle()
    expect(theirs.stats().received).toBe(3)
    const reading = collect(theirs)
    await settle()
    await ours.close()
    expect((await reading).messages).toHaveLength(20)
  })

  it("doesn't keep an aborted send waiting, unless half of it has gone", async () => {
    const [ours, theirs] = await openPair({ limits: { sendBytes: 128 * 1024, receiveMessages: 1 } })
    await ours.send(Uint8Array.of(1))
    await settle()
    const control = new AbortController()
    const large = ours.send(new Uint8Array(2_000_000).fill(1), { signal: control.signal })
    const next = ours.send(Uint8Array.of(2), { signal: control.signal })
    await settle()
    control.abort(new Error('given up'))
    await expect(next).rejects.toThrow('given up')
    await expect(ours.send(Uint8Array.of(3), { signal: control.signal })).rejects.toThrow('given up')
    const reading = collect(theirs)
    await large
    await ours.close()
    expect((await reading).messages.map(({ length }) => length)).toEqual([1, 2_000_000])
  })
})

describe('the end', () => {
  it('is told apart from a truncation', async () => {
    const [ours, theirs] = await openPair()
    const reading = collect(theirs)
    await ours.send(text('last'))
    await ours.close()
    expect(await reading).toEqual({ messages: [text('last')], error: undefined })
    expect(await theirs.closed).toEqual({ kind: 'closed', by: 'peer', answered: true })
    expect(await ours.closed).toEqual({ kind: 'closed', by: 'us', answered: true })

    const streams = memoryStreamPair()
    const [, cutOff] = await openPair({}, {}, streams)
    const truncated = collect(cutOff)
    streams[0].destroy()
    expect(await truncated).toEqual({ messages: [], error: problem('truncated') })
    expect(await cutOff.closed).toEqual({ kind: 'failed', error: problem('truncated') })
  })

  it('comes after what was sent, and what is received can still be taken', async () => {
    const [ours, theirs] = await openPair()
    const sends = Array.from({ length: 100 }, (_, at) => ours.send(new Uint8Array(10_000).fill(at)))
    const closing = ours.close()
    const { messages, error } = await collect(theirs)
    await Promise.all([...sends, closing])
    expect(error).toBeUndefined()
    expect(messages.map(([byte]) => byte)).toEqual([...Array(100).keys()])
    expect(await theirs.readable()).toBe(false)
  })

  it('is seen behind messages that had no room when the transport ended', async () => {
    const streams = memoryStreamPair()
    const [ours, theirs] = await openPair({}, { limits: { receiveMessages: 2, closeTimeoutMs: 50 } }, streams)
    for (let i = 0; i < 10; i++) await ours.send(Uint8Array.of(i))
    const closing = ours.close()
    await settle()
    streams[0].end()
    await settle()
    const { messages, error } = await collect(theirs)
    expect(error).toBeUndefined()
    expect(messages).toHaveLength(10)
    await closing
  })

  it('by both sides at once is in good order', async () => {
    const [ours, theirs] = await openPair()
    await Promise.all([ours.close(), theirs.close(), ours.close()])
    expect((await ours.closed).kind).toBe('closed')
    expect((await theirs.closed).kind).toBe('closed')
    await ours.close()
  })

  it('rejects later sends, and ends every reader', async () => {
    const [ours, theirs] = await openPair()
    const reading = [collect(ours), collect(theirs)]
    await ours.close()
    await Promise.all(reading)
    await expect(ours.send(text('late'))).rejects.toEqual(problem('closed'))
    await expect(theirs.send(text('late'))).rejects.toEqual(problem('closed'))
    expect(await ours.readable()).toBe(false)
  })

  it("doesn't wait for a silent peer for ever", async () => {
    const [ours] = await openPair({ limits: { closeTimeoutMs: 20 } }, { limits: { receiveMessages: 1 } })
    await ours.send(text('fills its queue'))
    await ours.send(text('and is not read'))
    await ours.close()
    expect(await ours.closed).toEqual({ kind: 'closed', by: 'us', answered: false })
  })

  it('rejects sends that wait when the transport fails', async () => {
    const streams = memoryStreamPair()
    const [ours] = await openPair({ limits: { sendBytes: 128 * 1024 } }, { limits: { receiveMessages: 1 } }, streams)
    await ours.send(Uint8Array.of(1))
    await settle()
    const waiting = ours.send(new Uint8Array(2_000_000))
    await settle()
    streams[1].destroy()
    await expect(waiting).rejects.toBeInstanceOf(ChannelError)
    expect((await ours.closed).kind).toBe('failed')
  })

  it('is what `await using` brings', async () => {
    const [ours, theirs] = await openPair()
    {
      await using channel = ours
      await channel.send(text('hello'))
    }
    expect(await collect(theirs)).toEqual({ messages: [text('hello')], error: undefined })
  })

  it('of waiting comes with the signal', async () => {
    const [, theirs] = await openPair()
    await expect(theirs.readable({ signal: AbortSignal.timeout(10) })).rejects.toThrow(/time/)
    const aborted = AbortSignal.abort(new Error('no'))
    await expect(theirs.messages({ signal: aborted })[Symbol.asyncIterator]().next()).rejects.toThrow('no')
  })
})

describe('limits', () => {
  it('refuse what is too long, on both sides', async () => {
    const [ours, theirs] = await openPair(
      { limits: { maxMessageBytes: 100_000 } },
      { limits: { maxMessageBytes: 70_000 } },
    )
    await expect(ours.send(new Uint8Array(100_001))).rejects.toEqual(problem('oversized'))
    await ours.send(new Uint8Array(70_000))
    await ours.send(new Uint8Array(70_001))
    const { messages, error } = await collect(theirs)
    expect(messages.map(({ length }) => length)).toEqual([70_000])
    expect(error).toEqual(problem('oversized'))
  })

  it.each([
    [{ limits: { receiveBytes: 1000 } }, 'limits.receiveBytes'],
    [{ limits: { rekeyAfterMessages: 0 } }, 'limits.rekeyAfterMessages'],
    [{ limits: { sendBytes: Number.NaN } }, 'limits.sendBytes'],
    [{ limits: { sendbytes: 1 } }, 'limits.sendbytes'],
    [{ limits: { rekeyAfterMs: 2 ** 31 } }, 'limits.rekeyAfterMs'],
    [{ limits: { maxMessageBytes: Number.POSITIVE_INFINITY } }, 'limits.maxMessageBytes'],
    [{ padding: 0 }, 'padding'],
    [{ padding: 65_517 }, 'padding'],
    [{ padding: 'much' }, 'padding'],
    [{ handshakeTimeoutMs: 0 }, 'handshakeTimeoutMs'],
  ])('%j is refused before anything is sent', async (options, option) => {
    const refused = openPair(options as never)
    await expect(refused).rejects.toEqual(expect.objectContaining({ option, code: 'ERR_PYISOLATE_BROKER_OPTION' }))
    await expect(refused).rejects.toBeInstanceOf(BrokerOptionError)
  })
})
