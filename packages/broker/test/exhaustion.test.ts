import { describe, expect, it, vi } from 'vitest'
import { nobleAead } from '../src/index.js'
import { CipherState } from '../src/internal/noise/cipher-state.js'
import { openPair, settle } from './support/open.js'

/** Nothing sets a counter, and 2^64 messages take too long: here the arithmetic itself starts close to its end. */
const START = vi.hoisted(() => ({ near: false }))
vi.mock('../src/aead/counter.js', async (load) => {
  const actual = await load<typeof import('../src/aead/counter.js')>()
  return {
    ...actual,
    advance(nonce: Uint8Array, count: number) {
      if (START.near && nonce[11] === 0) nonce.fill(0xff, 4).set([0xfb], 4)
      return actual.advance(nonce, count)
    },
  }
})

const exhausted = expect.objectContaining({ code: 'ERR_PYISOLATE_CHANNEL', problem: 'exhausted' })
const nothing = new Uint8Array()

describe('a counter that is used up', () => {
  it('ends the state before the value that is kept for rekeying, and for good', () => {
    START.near = true
    const state = new CipherState(nobleAead, new Uint8Array(32))
    for (let left = 3; left > 0; left--) state.encrypt(nothing, nothing)
    expect(() => state.encrypt(nothing, nothing)).toThrow(exhausted)
    expect(() => state.encrypt(nothing, nothing)).toThrow(expect.objectContaining({ problem: 'closed' }))
    expect(() => state.rekey()).toThrow(expect.objectContaining({ problem: 'closed' }))
  })

  it('refuses a batch that would pass it, whole', () => {
    START.near = true
    const state = new CipherState(nobleAead, new Uint8Array(32))
    const buffer = new Uint8Array(100)
    const before = Uint8Array.from(buffer)
    expect(() => state.sealMany(buffer, Uint32Array.of(0, 20, 20, 20, 40, 20, 60, 20), 4)).toThrow(exhausted)
    expect(buffer).toEqual(before)
  })

  it('ends a channel', async () => {
    START.near = false
    const [ours] = await openPair()
    await settle()
    START.near = true
    // A state that has counted to 2^64 - 5 by now.
    for (let sent = 0; sent < 5; sent++) {
      await ours.send(Uint8Array.of(sent)).catch(() => {})
      await settle()
    }
    expect(await ours.closed).toEqual({ kind: 'failed', error: exhausted })
  })
})
