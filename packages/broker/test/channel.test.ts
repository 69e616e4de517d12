import { describe, expect, it } from 'vitest'
import { KeyPair, memoryStreamPair, openChannel } from '../src/index.js'

describe('smoke', () => {
  it.each([false, true])('opens, pq %s', async (pq) => {
    const [a, b] = memoryStreamPair()
    const ka = KeyPair.generate()
    const kb = KeyPair.generate()
    const [x, y] = await Promise.all([
      openChannel(a, { role: 'initiator', pattern: 'IK', keys: ka, remoteKey: kb.publicKey, pq }),
      openChannel(b, { role: 'responder', pattern: 'IK', keys: kb, peer: { keys: [ka.publicKey] }, pq }),
    ])
    const big = new Uint8Array(300_000).fill(7)
    const got: number[] = []
    const reading = (async () => {
      for await (const m of y.messages()) got.push(m.length)
    })()
    for (let i = 0; i < 2000; i++) await x.send(Uint8Array.of(i & 255, 1, 2))
    await x.send(big)
    await x.close()
    await reading
    expect(got).toHaveLength(2001)
    expect(got[2000]).toBe(300_000)
    expect(await y.closed).toEqual({ kind: 'closed', by: 'peer', answered: true })
    expect(await x.closed).toEqual({ kind: 'closed', by: 'us', answered: true })
  })
})
