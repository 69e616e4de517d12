import { createSocket, type Socket } from 'node:dgram'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { memoryDatagramPair, openDatagramChannel, type Passage, udpDatagrams } from '../src/index.js'
import { openDatagramPair } from './support/datagrams.js'
import { collect, setups } from './support/open.js'
import { FUZZ_MS, fuzz, randomBytesOf, randomNumbers } from './support/random.js'

describe('a handshake over datagrams', () => {
  it('survives loss, repetition and disorder of its messages', async () => {
    for (let seed = 0; seed < 12; seed++) {
      const random = randomNumbers(seed)
      const lossy: Passage = (bytes) => {
        if (bytes[0] === 0) return random(4) === 0 ? [] : [bytes]
        const fate = random(4)
        return fate === 0 ? [] : fate === 1 ? [bytes, bytes] : [bytes]
      }
      const pair = memoryDatagramPair({ there: lossy, back: lossy })
      const [ours, theirs] = await openDatagramPair(pair, {
        pattern: 'IK',
        refused: 'drop',
        pq: seed % 2 === 0,
        limits: { closeTimeoutMs: 50 },
      })
      expect(Buffer.compare(ours.handshakeHash, theirs.handshakeHash)).toBe(0)
      await Promise.all([ours.close(), theirs.close()])
    }
  }, 60_000)

  it('is refused where the hybrid form is missing, on both sides', async () => {
    const [one, other] = memoryDatagramPair()
    const [first, second] = setups({ pq: true }, {})
    const results = await Promise.allSettled([openDatagramChannel(one, first), openDatagramChannel(other, second)])
    const refused = {
      status: 'rejected',
      reason: expect.objectContaining({ code: 'ERR_PYISOLATE_HANDSHAKE', problem: 'pq' }),
    }
    expect(results).toEqual([refused, refused])
  })

  it('ends with a stranger, a forger, silence, or the signal', async () => {
    const other = setups({ prologue: Uint8Array.of(1) })[0]
    const [, second] = setups()
    const [one, two] = memoryDatagramPair()
    const stranger = openDatagramChannel(one, { ...other, handshakeTimeoutMs: 100 })
    await expect(openDatagramChannel(two, second)).rejects.toMatchObject({ problem: 'authentication' })
    await expect(stranger).rejects.toMatchObject({ code: 'ERR_PYISOLATE_HANDSHAKE' })
    for (const [options, expected] of [
      [{ handshakeTimeoutMs: 20 }, { problem: 'timeout' }],
      [{ signal: AbortSignal.timeout(20) }, { name: 'TimeoutError' }],
    ] as const) {
      await expect(openDatagramChannel(memoryDatagramPair()[0], { ...setups()[0], ...options })).rejects.toMatchObject(
        expected,
      )
    }
    for (const [wrong, option] of [
      [{ window: 3 }, 'window'],
      [{ refused: 'maybe' }, 'refused'],
    ] as const) {
      const opening = openDatagramChannel(memoryDatagramPair()[0], { ...setups()[0], ...wrong } as never)
      await expect(opening).rejects.toMatchObject({ option })
    }
  })

  it(
    'survives whatever else is sent to it',
    async () => {
      await fuzz(async (random) => {
        const [hostile, victim] = memoryDatagramPair()
        hostile.start({ datagram: () => {}, end: () => {}, fail: () => {} })
        const opening = openDatagramChannel(victim, { ...setups()[random(2)]!, handshakeTimeoutMs: 10 })
        const refused = expect(opening).rejects.toMatchObject({ code: 'ERR_PYISOLATE_HANDSHAKE' })
        for (let count = random(6); count > 0; count--) {
          const bytes = randomBytesOf(random, random(200))
          if (bytes.length > 2 && random(2) === 0) bytes.set([1 + random(2), random(3)])
          hostile.send(bytes, () => {})
          await Promise.resolve()
        }
        await refused
      })
    },
    FUZZ_MS + 20_000,
  )
})

describe('over UDP', () => {
  it('messages arrive, and the close', async () => {
    const [a, b] = await joined()
    const [ours, theirs] = await openDatagramPair([udpDatagrams(a), udpDatagrams(b)], { pq: true })
    const reading = collect(theirs)
    for (let number = 0; number < 20; number++) await ours.send(new Uint8Array(1000).fill(number))
    await new Promise((resolve) => setTimeout(resolve, 100))
    await ours.close()
    const { messages, error } = await reading
    expect(error).toBeUndefined()
    expect(messages.map(([byte]) => byte)).toEqual([...Array(20).keys()])
  })
})

async function joined(): Promise<[Socket, Socket]> {
  const sockets = [createSocket('udp4'), createSocket('udp4')] as const
  for (const socket of sockets) await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const [a, b] = sockets
  const connect = (socket: Socket, to: Socket) =>
    new Promise<void>((resolve) => socket.connect((to.address() as AddressInfo).port, '127.0.0.1', resolve))
  await Promise.all([connect(a, b), connect(b, a)])
  return [a, b]
}
