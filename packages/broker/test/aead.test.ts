import { aeadCompliance } from '@pyisolate/test-kit/compliance'
import { describe, expect, it } from 'vitest'
import { nobleAead } from '../src/index.js'
import { collect, openPair, settle } from './support/open.js'
import { opensslAead } from './support/openssl-aead.js'

aeadCompliance('noble', nobleAead)
aeadCompliance('OpenSSL by node:crypto', opensslAead().aead)

describe('an Aead that is handed in', () => {
  it('is what the handshake and the channel use, in batches, and the other side need not have it', async () => {
    const { aead, batches } = opensslAead()
    for (const [ours, theirs] of [
      [{ aead }, {}],
      [{}, { aead }],
    ]) {
      const [first, second] = await openPair({ ...ours, limits: { rekeyAfterMessages: 40 } }, theirs)
      await settle()
      batches.length = 0
      const reading = [collect(first), collect(second)]
      const message = (at: number) => new Uint8Array(at * 31).fill(at)
      await Promise.all(
        Array.from({ length: 100 }, (_, at) => Promise.all([first.send(message(at)), second.send(message(at))])),
      )
      await settle(20)
      await first.close()
      for (const { messages } of await Promise.all(reading)) {
        expect(messages).toHaveLength(100)
        expect(messages.every((one, at) => Buffer.compare(one, message(at)) === 0)).toBe(true)
      }
      expect(Math.max(...batches)).toBeGreaterThanOrEqual(10)
      expect(batches.length).toBeLessThan(60)
    }
  })
})
