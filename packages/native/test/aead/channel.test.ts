import { KeyPair, memoryStreamPair, nobleAead, openChannel, type SealedChannel } from '@pyisolate/broker'
import type { Aead } from '@pyisolate/interface'
import { expect, it } from 'vitest'

import { createNativeAead } from '../../src/index.js'
import { addonPath, until } from '../support/fake.js'

const native = createNativeAead({ addon: addonPath })

async function pair(ours: Aead, theirs: Aead): Promise<[SealedChannel, SealedChannel]> {
  const [one, other] = memoryStreamPair()
  const [first, second] = [KeyPair.generate(), KeyPair.generate()]
  const limits = { rekeyAfterMessages: 100 }
  return Promise.all([
    openChannel(one, {
      role: 'initiator',
      pattern: 'IK',
      keys: first,
      remoteKey: second.publicKey,
      aead: ours,
      limits,
    }),
    openChannel(other, {
      role: 'responder',
      pattern: 'IK',
      keys: second,
      peer: { keys: [first.publicKey] },
      aead: theirs,
      limits,
    }),
  ])
}

const message = (at: number) => new Uint8Array((at * 251) % 70_000).fill(at)

it.each([
  ['native', 'TypeScript', native, nobleAead],
  ['TypeScript', 'native', nobleAead, native],
  ['native', 'native', native, native],
] as const)('a channel between %s and %s, also across new keys', async (_, __, ours, theirs) => {
  const [first, second] = await pair(ours, theirs)
  const received: Uint8Array[][] = [[], []]
  const reading = [first, second].map(async (channel, at) => {
    for await (const one of channel.messages()) received[at]!.push(one)
  })
  for (let at = 0; at < 400; at++) await Promise.all([first.send(message(at)), second.send(message(at))])
  expect(first.stats().rekeysSent).toBeGreaterThan(2)
  await until('all have arrived', () => received.every(({ length }) => length === 400))
  await first.close()
  await Promise.all(reading)
  for (const messages of received) {
    expect(messages).toHaveLength(400)
    expect(messages.every((one, at) => Buffer.compare(one, message(at)) === 0)).toBe(true)
  }
})
