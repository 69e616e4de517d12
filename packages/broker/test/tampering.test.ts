import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ChannelError, openChannel, type SealedChannel } from '../src/index.js'
import { frames, type Meddle, Middle } from './support/middle.js'
import { collect, openPair, settle, setups } from './support/open.js'

const COUNT = 6
const payload = (number: number) => new Uint8Array(3 + 40 * number).fill(number)

interface Attack {
  readonly ours: SealedChannel
  readonly theirs: SealedChannel
  readonly middle: Middle
  readonly failures: string[]
}

async function open(): Promise<Attack> {
  const failures: string[] = []
  const metrics = {
    count: (name: string, labels: Readonly<Record<string, string>> = {}) => {
      if (name === 'pyisolate_channel_failures_total') failures.push(labels.problem!)
    },
  }
  const middle = new Middle()
  const [ours, theirs] = await openPair({}, { metrics }, middle.ends)
  await settle()
  return { ours, theirs, middle, failures }
}

/** Sends six messages through a meddler; gives what was delivered, and how it ended. */
async function attack(meddle: Meddle, cut = false) {
  const { ours, theirs, middle, failures } = await open()
  middle.meddle(meddle)
  const reading = collect(theirs)
  for (let number = 0; number < COUNT; number++) await ours.send(payload(number))
  await settle(10)
  if (cut) middle.cut()
  else void ours.close()
  const { messages, error } = await reading
  return { numbers: messages.map(numberOf), error: error as ChannelError | undefined, failures }
}

/** Which of the messages this is, whole; -1: none of them. */
function numberOf(message: Uint8Array): number {
  const number = (message.length - 3) / 40
  return message.every((byte) => byte === number) ? number : -1
}

/** Only what was sent, from the beginning, without a gap; and the channel has noticed. */
function expectDetected({ numbers, error, failures }: Awaited<ReturnType<typeof attack>>, most: number): void {
  expect(numbers).toEqual([...Array(numbers.length).keys()])
  expect(numbers.length).toBeLessThanOrEqual(most)
  expect(error).toMatchObject({ code: 'ERR_PYISOLATE_CHANNEL' })
  expect(failures).toEqual([error!.problem])
}

describe('somebody in the middle', () => {
  it('who changes nothing is not noticed', async () => {
    const { numbers, error, failures } = await attack(frames((frame) => [frame]))
    expect(numbers).toEqual([0, 1, 2, 3, 4, 5])
    expect([error, ...failures]).toEqual([undefined])
  })

  it('changes no bit of any frame unnoticed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(COUNT), fc.nat(1000), fc.integer({ min: 0, max: 7 }), async (target, at, bit) => {
        const result = await attack(
          frames((frame, number) => {
            if (number === target) frame[at % frame.length]! ^= 1 << bit
            return [frame]
          }),
          true,
        )
        // A longer length waits for bytes that never come: then it is the end that tells.
        expectDetected(result, target)
        expect(['authentication', 'malformed', 'truncated']).toContain(result.error!.problem)
      }),
      { numRuns: 100 },
    )
  })

  it('drops, doubles, swaps or sends back no frame unnoticed', async () => {
    type Change = (frame: Uint8Array, kept: Uint8Array[]) => readonly Uint8Array[]
    const changes: Record<string, Change> = {
      drop: () => [],
      double: (frame) => [frame, frame],
      swap: (frame, kept) => {
        kept.push(frame)
        return []
      },
    }
    for (const [name, change] of Object.entries(changes)) {
      for (let target = 0; target < COUNT; target++) {
        const kept: Uint8Array[] = []
        const result = await attack(
          frames((frame, number) => (number === target ? change(frame, kept) : [frame, ...kept.splice(0)])),
        )
        expectDetected(result, name === 'double' ? target + 1 : target)
        expect(result.error!.problem, `${name} ${target}`).toBe('authentication')
      }
    }
  })

  it('replays nothing, from this channel or from an earlier one', async () => {
    let recorded: Uint8Array[] = []
    const keep = frames((frame) => {
      recorded.push(frame)
      return [frame]
    })
    await attack(keep)
    const old = recorded
    recorded = []
    const result = await attack(frames((frame, number) => (number === 2 ? [old[2]!] : [frame])))
    expectDetected(result, 2)
    const { theirs, middle, failures } = await open()
    await middle.inject(old[0]!)
    expect(await collect(theirs)).toMatchObject({ messages: [], error: { problem: 'authentication' } })
    expect(failures).toEqual(['authentication'])
  })

  it('reflects nothing', async () => {
    const { ours, middle } = await open()
    const reading = collect(ours)
    middle.meddle(
      frames((frame) => {
        void middle.inject(frame, 'left')
        return []
      }),
    )
    await ours.send(payload(1))
    expect(await reading).toMatchObject({ messages: [], error: { problem: 'authentication' } })
  })

  it('cuts nothing off unnoticed, within a frame or between two', async () => {
    for (const at of [0, 1, 2, 20, 60]) {
      const result = await attack(
        frames((frame, number) => (number < 3 ? [frame] : number === 3 ? [frame.subarray(0, at)] : [])),
        true,
      )
      expectDetected(result, 3)
      expect(result.numbers).toEqual([0, 1, 2])
      expect(result.error!.problem).toBe('truncated')
    }
  })

  it('holds the close back, and the channel says so', async () => {
    const result = await attack(
      frames((frame, number) => (number === COUNT ? [] : [frame])),
      true,
    )
    expectDetected(result, COUNT)
    expect(result.error!.problem).toBe('truncated')
  })

  it('gains nothing by markers of the next key', async () => {
    const marker = new Uint8Array(2)
    for (const count of [1, 2, 1000]) {
      const result = await attack(
        frames((frame, number) => (number === 2 ? [...Array<Uint8Array>(count).fill(marker), frame] : [frame])),
      )
      expectDetected(result, 2)
    }
  })

  it('changes nothing of a handshake unnoticed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.nat(200), fc.integer({ min: 0, max: 7 }), async (toRight, at, bit) => {
        const middle = new Middle()
        let seen = 0
        const change: Meddle = (bytes) => {
          for (let i = 0; i < bytes.length; i++) if (seen++ === at) bytes[i]! ^= 1 << bit
          return [bytes]
        }
        const same: Meddle = (bytes) => [bytes]
        middle.meddle(toRight ? change : same, toRight ? same : change)
        const [first, second] = setups({ handshakeTimeoutMs: 2000 })
        const results = await Promise.allSettled([
          openChannel(middle.ends[0], first),
          openChannel(middle.ends[1], second),
        ])
        if (seen <= at) {
          await Promise.all(results.map((one) => one.status === 'fulfilled' && one.value.close()))
          return
        }
        // Behind the hello and the two messages: the initiator has its channel already, and it fails.
        const byteOfConfirmation = toRight && at >= 37 + 2 + 96
        const refused = results.filter(({ status }) => status === 'rejected')
        expect(refused).toHaveLength(byteOfConfirmation ? 1 : 2)
        if (byteOfConfirmation && results[0].status === 'fulfilled') {
          expect(await results[0].value.closed).toMatchObject({ kind: 'failed' })
        }
        for (const one of refused) expect(one).toMatchObject({ reason: { code: 'ERR_PYISOLATE_HANDSHAKE' } })
      }),
      { numRuns: 60 },
    )
  }, 120_000)
})
