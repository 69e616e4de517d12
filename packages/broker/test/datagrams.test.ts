import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type DatagramSetup,
  type Datagrams,
  memoryDatagramPair,
  nobleAead,
  openDatagramChannel,
  type Passage,
  type SealedChannel,
} from '../src/index.js'
import { ReplayWindow } from '../src/internal/datagram/replay-window.js'
import { type Options, openDatagramPair } from './support/datagrams.js'
import { PATTERNS, psk } from './support/handshakes.js'
import { settle, setups } from './support/open.js'
import { randomNumbers } from './support/random.js'

const problem = (name: string) => expect.objectContaining({ code: 'ERR_PYISOLATE_CHANNEL', problem: name })

/** A way whose rule can be changed, for sealed datagrams only: those of the handshake pass. */
function wayWithRule(): { way: Passage; rule: Passage } {
  const self = {
    rule: ((bytes) => [bytes]) as Passage,
    way: ((bytes) => (bytes[0] === 0 ? self.rule(bytes) : [bytes])) as Passage,
  }
  return self
}

async function openTapped(options: Options = {}) {
  const there = wayWithRule()
  const dropped: (string | undefined)[] = []
  const metrics = {
    count: (name: string, labels: Readonly<Record<string, string>> = {}) => {
      if (name === 'pyisolate_channel_datagrams_dropped_total') dropped.push(labels.problem)
    },
  }
  const [ours, theirs] = await openDatagramPair(memoryDatagramPair({ there: there.way }), {}, { metrics, ...options })
  await settle()
  return { ours, theirs, there, dropped }
}

/** What is there now. */
function takeAll(channel: SealedChannel): number[] {
  const taken: number[] = []
  for (let one = channel.take(); one !== undefined; one = channel.take()) taken.push(one[0]!)
  return taken
}

describe('the window of what has come', () => {
  it('takes each number once, and none that is too old, as a plain set does', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(32, 64, 100, 1024),
        fc.array(fc.oneof(fc.integer({ min: -80, max: 80 }), fc.integer({ min: -3000, max: 3000 })), {
          maxLength: 200,
        }),
        (size, steps) => {
          const window = new ReplayWindow(size)
          const seen = new Set<number>()
          let latest = -1
          let number = 0
          for (const step of steps) {
            number = Math.max(0, Math.min(65_535, number + step))
            const isNew = !seen.has(number) && (number > latest || latest - number < size)
            expect(window.isNew(number)).toBe(isNew)
            if (!isNew) continue
            window.mark(number)
            seen.add(number)
            latest = Math.max(latest, number)
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('messages in datagrams', () => {
  it.each(PATTERNS)('arrive in %s, hybrid and not', async (pattern) => {
    const keys = setups()[0].keys!
    for (const pq of [false, true]) {
      const known = { remoteKey: keys.publicKey }
      const own: Options = pattern === 'NN' ? { psks: [psk(0)] } : { keys, peer: 'anyone' }
      const base = { ...own, pattern, pq } as const
      const none = { remoteKey: undefined } as never as Options
      const [first, second] = [
        { ...base, ...(pattern === 'KK' || pattern === 'IK' ? known : none) },
        { ...base, ...(pattern === 'KK' ? known : none) },
      ]
      const bare = (options: Options): Options =>
        Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
      const [one, other] = memoryDatagramPair()
      const [ours, theirs] = await Promise.all([
        openDatagramChannel(one, { role: 'initiator', ...bare(first) } as DatagramSetup),
        openDatagramChannel(other, { role: 'responder', ...bare(second) } as DatagramSetup),
      ])
      await ours.send(Uint8Array.of(1))
      await theirs.send(Uint8Array.of(2))
      await settle()
      expect([takeAll(ours), takeAll(theirs)]).toEqual([[2], [1]])
      await ours.close()
      expect(await theirs.closed).toEqual({ kind: 'closed', by: 'peer', answered: true })
      expect(await ours.closed).toEqual({ kind: 'closed', by: 'us', answered: true })
    }
  })

  it('have a size of their own, padded or not', async () => {
    const lengths: number[] = []
    const there: Passage = (bytes) => {
      if (bytes[0] === 0) lengths.push(bytes.length)
      return [bytes]
    }
    const [ours, theirs] = await openDatagramPair(memoryDatagramPair({ maxBytes: 1200, there }), { padding: 100 })
    await expect(ours.send(new Uint8Array(1200 - 27))).rejects.toEqual(problem('oversized'))
    await ours.send(new Uint8Array(1200 - 28))
    await ours.send(new Uint8Array(1))
    await settle()
    expect(lengths.slice(-2)).toEqual([1200, 128])
    expect([theirs.take()!.length, theirs.take()!.length]).toEqual([1172, 1])
  })

  it('may be overtaken within the window, and are told apart from those that come again', async () => {
    const { ours, theirs, there, dropped } = await openTapped({ refused: 'drop', window: 32 })
    const kept: Uint8Array[] = []
    there.rule = (bytes) => {
      kept.push(bytes)
      return []
    }
    for (let number = 0; number < 40; number++) await ours.send(Uint8Array.of(number))
    await settle()
    const deliver = async (bytes: Uint8Array) => {
      there.rule = () => [bytes]
      await ours.send(Uint8Array.of(255))
      await settle()
      return takeAll(theirs)
    }
    expect(await deliver(kept[20]!)).toEqual([20])
    expect(await deliver(kept[3]!)).toEqual([3])
    expect(await deliver(kept[3]!)).toEqual([])
    expect(await deliver(kept[39]!)).toEqual([39])
    expect(await deliver(kept[8]!)).toEqual([8])
    expect(await deliver(kept[7]!)).toEqual([])
    expect(await deliver(kept[20]!)).toEqual([])
    expect(dropped).toEqual(['replay', 'replay', 'replay'])
  })

  it.each([
    ['changed', 'authentication', (bytes: Uint8Array) => [bytes.with(20, bytes[20]! ^ 1)]],
    ['of another counter', 'authentication', (bytes: Uint8Array) => [bytes.with(8, bytes[8]! ^ 4)]],
    ['of another key', 'authentication', (bytes: Uint8Array) => [bytes.with(6, 1)]],
    ['of a key far ahead', 'authentication', (bytes: Uint8Array) => [bytes.with(1, 255)]],
    ['cut short', 'authentication', (bytes: Uint8Array) => [bytes.subarray(0, -1)]],
    ['cut to pieces', 'malformed', (bytes: Uint8Array) => [bytes.subarray(0, 20)]],
    ['doubled', 'replay', (bytes: Uint8Array) => [bytes, bytes]],
    ['of no kind', 'malformed', (bytes: Uint8Array) => [bytes.with(0, 9)]],
  ])(
    'that are %s end the channel, or are dropped where that was asked for',
    async (_, expected, change) => {
      for (const refused of ['end', 'drop'] as const) {
        const { ours, theirs, there, dropped } = await openTapped({ refused })
        await ours.send(Uint8Array.of(1))
        await settle()
        there.rule = change
        await ours.send(Uint8Array.of(2))
        await settle()
        there.rule = (bytes) => [bytes]
        // Where the other end has failed, this one is told by the transport.
        await ours.send(Uint8Array.of(3)).catch(() => {})
        await settle()
        const doubled = expected === 'replay' ? [2] : []
        if (refused === 'end') {
          expect(takeAll(theirs)).toEqual([1, ...doubled])
          expect(await theirs.closed).toEqual({ kind: 'failed', error: problem(expected) })
          await expect(theirs.readable()).rejects.toEqual(problem(expected))
        } else {
          expect(takeAll(theirs)).toEqual([1, ...doubled, 3])
          expect(dropped).toEqual([expected])
        }
        await Promise.all([ours.close(), theirs.close()])
      }
    },
    20_000,
  )

  it('are not believed when they come back', async () => {
    const pair = memoryDatagramPair()
    let back: ((bytes: Uint8Array) => void) | undefined
    let mirroring = false
    const [first, second] = pair
    const mirror: Datagrams = {
      maxBytes: first.maxBytes,
      start: (reader) => {
        back = (bytes) => reader.datagram(bytes)
        first.start(reader)
      },
      send: (bytes, done) => {
        const own = Uint8Array.from(bytes)
        if (mirroring) queueMicrotask(() => back?.(own))
        first.send(bytes, done)
      },
      close: () => first.close(),
    }
    const [ours] = await openDatagramPair([mirror, second])
    await settle()
    mirroring = true
    await ours.send(Uint8Array.of(1))
    expect(await ours.closed).toEqual({ kind: 'failed', error: problem('authentication') })
    expect(ours.take()).toBeUndefined()
  })

  it('follow the sender to later keys, through loss, and no nonce is used twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.nat(), async (perKey, seed) => {
        const random = randomNumbers(seed)
        const used = new Set<string>()
        const aead = {
          name: 'watchful',
          createKey(bytes: Uint8Array) {
            const key = nobleAead.createKey(bytes)
            const name = Buffer.from(bytes).toString('hex')
            const sealMany = key.sealMany.bind(key)
            key.sealMany = (nonce, ...rest) => {
              const pair = `${name} ${Buffer.from(nonce).toString('hex')}`
              expect(used.has(pair)).toBe(false)
              used.add(pair)
              sealMany(nonce, ...rest)
            }
            return key
          },
        }
        const there = wayWithRule()
        const options = { refused: 'drop', limits: { rekeyAfterMessages: perKey } } as const
        const [ours, theirs] = await openDatagramPair(
          memoryDatagramPair({ there: there.way }),
          { aead, ...options },
          options,
        )
        await settle(2)
        const passed: number[] = []
        let held: Uint8Array | undefined
        for (let number = 0; number < 60; number++) {
          there.rule = (bytes) => {
            const fate = random(5)
            // One is overtaken by the next; if that has come under the key after the next, it is too late.
            const late = held
            held = undefined
            if (fate === 0) return late ? [late] : []
            if (fate === 1 && late === undefined && perKey > 1) {
              held = bytes
              return []
            }
            return late ? [bytes, late] : [bytes]
          }
          if (random(15) === 0) ours.rekey()
          await ours.send(Uint8Array.of(number))
          await settle(1)
          passed.push(...takeAll(theirs))
        }
        expect(new Set(passed).size).toBe(passed.length)
        expect(passed.length).toBeGreaterThan(25)
        expect(ours.stats().rekeysSent).toBeGreaterThanOrEqual(Math.floor(60 / perKey) - 1)
        expect(theirs.stats().rekeysReceived).toBeGreaterThan(0)
        await Promise.all([ours.close(), theirs.close()])
      }),
      { numRuns: 15 },
    )
  }, 30_000)

  it('cannot be forged to have keys made again and again, and all are wiped in the end', async () => {
    const live = new Set<object>()
    let made = 0
    const aead = {
      name: 'counting',
      createKey(bytes: Uint8Array) {
        const key = nobleAead.createKey(bytes)
        made++
        live.add(key)
        const wipe = key.wipe.bind(key)
        key.wipe = () => {
          live.delete(key)
          wipe()
        }
        return key
      },
    }
    const { ours, theirs, there, dropped } = await openTapped({ aead, refused: 'drop' })
    const before = made
    for (let number = 0; number < 50; number++) {
      there.rule = (bytes) => [bytes.with(6, 1 + (number % 32))]
      await ours.send(Uint8Array.of(number))
    }
    await settle()
    expect(dropped).toHaveLength(50)
    expect(made - before).toBe(32)
    there.rule = (bytes) => [bytes]
    ours.rekey()
    await ours.send(Uint8Array.of(99))
    await settle()
    expect(takeAll(theirs)).toEqual([99])
    await ours.close()
    await theirs.closed
    expect(live.size).toBe(0)
  })

  it('are dropped and counted when nobody takes them', async () => {
    const { ours, theirs, dropped } = await openTapped({ limits: { receiveMessages: 3 } })
    for (let number = 0; number < 5; number++) await ours.send(Uint8Array.of(number))
    await settle()
    expect(takeAll(theirs)).toEqual([0, 1, 2])
    expect(dropped).toEqual(['full', 'full'])
  })

  it('wait while the transport is busy, and no more than may', async () => {
    let release: (() => void)[] = []
    const [first, second] = memoryDatagramPair({ maxBytes: 65_507 })
    let slow = false
    const busy: Datagrams = {
      maxBytes: first.maxBytes,
      start: (reader) => first.start(reader),
      send: (bytes, done) => first.send(bytes, (error) => (slow ? release.push(() => done(error)) : done(error))),
      close: () => first.close(),
    }
    const [ours, theirs] = await openDatagramPair(
      [busy, second],
      { limits: { sendBytes: 128 * 1024, maxWaitingSends: 2 } },
      {},
    )
    await settle()
    slow = true
    const sends = Array.from({ length: 6 }, (_, at) => ours.send(Uint8Array.of(at)))
    const control = new AbortController()
    const outcomes = Promise.allSettled(sends)
    await settle()
    expect(ours.stats().waiting).toBe(2)
    slow = false
    for (const one of release) one()
    release = []
    const states = (await outcomes).map((one) => (one.status === 'fulfilled' ? 'sent' : one.reason.problem))
    expect(states.filter((state) => state === 'sent').length + states.filter((state) => state === 'queue').length).toBe(
      6,
    )
    expect(states).toContain('queue')
    await settle()
    expect(takeAll(theirs)).toHaveLength(states.filter((state) => state === 'sent').length)
    control.abort()
    await expect(ours.send(Uint8Array.of(1), { signal: control.signal })).rejects.toThrow(/abort/)
  })
})
