import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_PAYLOAD } from '../src/internal/channel/frame.js'
import { padding } from '../src/internal/channel/padding.js'
import { frames, Middle } from './support/middle.js'
import { collect, openPair, settle } from './support/open.js'

const lengths = fc.integer({ min: 0, max: MAX_PAYLOAD })

describe('padding', () => {
  it('is never less than the length, nor more than fits', () => {
    fc.assert(
      fc.property(
        lengths,
        fc.oneof(fc.constant('padme' as const), fc.integer({ min: 1, max: MAX_PAYLOAD })),
        (length, rule) => {
          const padded = padding(rule, MAX_PAYLOAD)(length)
          expect(padded).toBeGreaterThanOrEqual(length)
          expect(padded).toBeLessThanOrEqual(MAX_PAYLOAD)
          if (rule !== 'padme' && padded < MAX_PAYLOAD) expect(padded % rule).toBe(0)
        },
      ),
    )
  })

  it('by Padmé adds at most 12 %, and leaves few lengths', () => {
    const pad = padding('padme', MAX_PAYLOAD)
    expect([0, 1, 2, 9, 33, 100, 1000, 1025].map(pad)).toEqual([0, 1, 2, 10, 36, 104, 1024, 1088])
    const seen = new Set<number>()
    for (let length = 0; length <= MAX_PAYLOAD; length++) {
      seen.add(pad(length))
      expect(pad(length)).toBeLessThanOrEqual(Math.max(length * 1.12, length + 1))
    }
    expect(seen.size).toBeLessThan(200)
  })

  it('by blocks fills the last one where that is at most an eighth more', () => {
    const pad = padding('blocks', MAX_PAYLOAD)
    expect([0, 1, 61, 64, 300, 511, 1000, 1021, 1022].map(pad)).toEqual([0, 1, 61, 64, 317, 573, 1021, 1021, 1085])
    for (let length = 0; length <= MAX_PAYLOAD; length++) {
      const padded = pad(length)
      expect(padded - length).toBeLessThanOrEqual(length / 8)
      if (length >= 8 * 63 && padded < MAX_PAYLOAD) expect((padded + 3) % 64).toBe(0)
    }
  })

  it('is what somebody who listens sees', async () => {
    for (const [rule, expected] of [
      ['blocks', [0, 1, 99, 100, 101]],
      [1, [0, 1, 99, 100, 101]],
      [100, [100, 100, 100, 100, 200]],
    ] as const) {
      const middle = new Middle()
      const [ours, theirs] = await openPair({ padding: rule }, {}, middle.ends)
      await settle()
      const seen: number[] = []
      middle.meddle(
        frames((frame) => {
          seen.push(frame.length - 2 - 3 - 16)
          return [frame]
        }),
      )
      const reading = collect(theirs)
      for (const length of [0, 1, 99, 100, 101]) await ours.send(new Uint8Array(length))
      await settle()
      await ours.close()
      expect((await reading).messages.map(({ length }) => length)).toEqual([0, 1, 99, 100, 101])
      // The close is the last, and has nothing in it.
      expect(seen).toEqual([...expected, 0])
    }
  })
})
