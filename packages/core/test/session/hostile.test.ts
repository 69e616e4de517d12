import { FrameType } from '@pyisolate/interface'
import type { FakeGuest, FakeScript } from '@pyisolate/test-kit'
import { encode } from 'cborg'
import { describe, expect, it } from 'vitest'
import { fakeSandbox, rejection } from '../support.js'

const cbor = (value: unknown): Uint8Array => encode(value)
const error = (fields: object) => ({ type: 'E', module: 'm', message: 'x', traceback: '', frames: [], ...fields })
const answer = (fields: object) => (guest: FakeGuest) =>
  guest.frame(FrameType.error, guest.requestId, cbor(error(fields)))
const exit = (fields: object) => (guest: FakeGuest) => guest.frame(FrameType.exit, 0, cbor(fields))

/** What each guest sends, and part of what the outcome says. */
const attacks: [string, (guest: FakeGuest) => unknown, string][] = [
  ['a frame of an unknown type', (guest) => guest.frame(200, 0, cbor(null)), 'a frame of the unknown type 200'],
  ['a frame that only a host sends', (guest) => guest.frame(FrameType.exec, 2, cbor(null)), 'unknown type 2'],
  ['ready again', (guest) => guest.frame(FrameType.ready, 0, cbor({ enforcement: [] })), 'unknown type 65'],
  [
    'a result for nothing',
    (guest) => guest.frame(FrameType.result, 99, cbor(1)),
    'an answer to a request that is not running',
  ],
  ['an error for nothing', (guest) => guest.frame(FrameType.error, 0, cbor(error({}))), 'an answer to a request'],
  [
    'two results',
    async (guest) => {
      await guest.frame(FrameType.result, guest.requestId, cbor(1))
      await guest.frame(FrameType.result, guest.requestId, cbor(2))
    },
    'an answer to a request that is not running',
  ],
  [
    'a result that is no CBOR',
    (guest) => guest.frame(FrameType.result, guest.requestId, Uint8Array.of(0xff)),
    'an indefinite length at byte 0',
  ],
  ['an empty result', (guest) => guest.frame(FrameType.result, guest.requestId, new Uint8Array()), 'ends early'],
  ['a post that is no CBOR', (guest) => guest.frame(FrameType.post, 0, Uint8Array.of(0x82, 1)), 'ends early'],
  [
    'a post nested too deep',
    (guest) => guest.frame(FrameType.post, 0, new Uint8Array(1000).fill(0x81)),
    'nested deeper than 64',
  ],
  [
    'a post with too many items',
    (guest) => guest.frame(FrameType.post, 0, cbor(new Array(1001).fill(0))),
    'more than 1000 items',
  ],
  [
    'a post that is too large',
    (guest) => guest.frame(FrameType.post, 0, cbor('x'.repeat(1 << 20))),
    'a value of 1048581 bytes',
  ],
  [
    'an error that is no map',
    (guest) => guest.frame(FrameType.error, guest.requestId, cbor([1])),
    'an error is not a map',
  ],
  ['an error without a type', answer({ type: null }), "an error's type is not a string"],
  ['an error about a limit that there is not', answer({ limit: 'toString' }), 'an unknown limit'],
  ['an error of a huge type', answer({ type: 'x'.repeat(5000) }), "an error's type is longer than 4096"],
  ['an error whose message is a number', answer({ message: 5 }), "an error's message is not a string"],
  ['an error whose frames are a map', answer({ frames: {} }), "an error's frames is not an array"],
  ['an error with a frame of text', answer({ frames: ['x'] }), "a traceback's frame is not a map"],
  ['an error in line -1', answer({ frames: [{ file: 'f', line: -1 }] }), "a frame's line is not an integer"],
  ['an error in line 1.5', answer({ frames: [{ file: 'f', line: 1.5 }] }), "a frame's line is not an integer"],
  ['a host call that is a list', (guest) => guest.frame(FrameType.hostCall, 1, cbor([])), 'a host call is not a map'],
  [
    'a host call without a name',
    (guest) => guest.frame(FrameType.hostCall, 1, cbor({ args: [], kwargs: {} })),
    'name is not a string',
  ],
  [
    'a host call with a huge name',
    (guest) => guest.frame(FrameType.hostCall, 1, cbor({ name: 'f'.repeat(257), args: [], kwargs: {} })),
    'longer than 256',
  ],
  [
    'a host call with args that are a map',
    (guest) => guest.frame(FrameType.hostCall, 1, cbor({ name: 'f', args: {}, kwargs: {} })),
    'args is not an array',
  ],
  [
    'a host call with kwargs that are an array',
    (guest) => guest.frame(FrameType.hostCall, 1, cbor({ name: 'f', args: [], kwargs: [] })),
    'kwargs is not a map',
  ],
  [
    'a host call with kwargs by number',
    (guest) => guest.frame(FrameType.hostCall, 1, cbor({ name: 'f', args: [], kwargs: new Map([[1, 1]]) })),
    'kwargs is not a map with string keys',
  ],
  [
    'a host call with an impossible id',
    (guest) => guest.frame(FrameType.hostCall, 2 ** 60, cbor({ name: 'f', args: [], kwargs: {} })),
    'impossible id',
  ],
  [
    'a host call under a used id',
    async (guest) => {
      for (let i = 0; i < 2; i++)
        await guest.frame(FrameType.hostCall, 7, cbor({ name: 'never', args: [], kwargs: {} }))
    },
    'a second host call with the id 7',
  ],
  [
    'a flood of host calls',
    async (guest) => {
      for (let i = 0; i < 2000; i++)
        await guest.frame(FrameType.hostCall, i, cbor({ name: 'never', args: [], kwargs: {} }))
    },
    'more than 1024 host calls at once',
  ],
  ['an exit of an unknown kind', exit({ kind: 'rich', code: 0, message: '' }), "an exit's kind is unknown"],
  ['an exit with a code of text', exit({ kind: 'exit', code: 'x', message: '' }), "an exit's code is not an integer"],
  [
    'an exit with a huge message',
    exit({ kind: 'exit', code: 0, message: 'x'.repeat(70_000) }),
    "an exit's message is longer",
  ],
  [
    'a broken ring',
    (guest) => guest.corrupt('the write position moved backwards'),
    'the write position moved backwards',
  ],
]

describe('a hostile guest is ended, alone', () => {
  it.each(attacks)('%s', async (_name, attack, detail) => {
    const script: FakeScript = async (_request, guest) => {
      await attack(guest)
      return guest.sleep(1e6)
    }
    const sandbox = await fakeSandbox(script, {
      limits: { items: 1000, frame: '1MiB' },
      functions: { never: () => new Promise(() => {}) },
    })
    sandbox.exec('attack').catch(() => {})
    expect(await sandbox.closed).toMatchObject({ kind: 'protocol', detail: expect.stringContaining(detail) })
  })

  it('with a value that has no meaning, once it is received', async () => {
    const sandbox = await fakeSandbox(async (_request, guest) => {
      // A date after the end of time.
      await guest.frame(FrameType.post, 0, Uint8Array.from([0xc1, 0x1b, 0x7f, ...new Array(7).fill(0xff)]))
    })
    await sandbox.exec('')
    expect(await rejection(sandbox.recv())).toMatchObject({
      outcome: { kind: 'protocol', detail: 'a date out of range' },
    })
  })

  it('and what it sends after that is not read', async () => {
    const sandbox = await fakeSandbox(async (_request, guest) => {
      await guest.frame(200, 0, new Uint8Array())
      await guest.post('after')
    })
    sandbox.exec('').catch(() => {})
    await sandbox.closed
    expect(await rejection(sandbox.recv())).toMatchObject({ code: 'ERR_PYISOLATE_SANDBOX_CLOSED' })
  })

  it('keys that mean something to JavaScript are only keys', async () => {
    const sandbox = await fakeSandbox(async (_request, guest) => {
      const map = new Map<string, unknown>([
        ['__proto__', { polluted: true }],
        ['constructor', 1],
        ['then', 2],
      ])
      await guest.frame(FrameType.post, 0, cbor(map))
    })
    await sandbox.exec('')
    const got = await sandbox.recv<Record<string, never>>()
    expect(Object.getPrototypeOf(got)).toBe(Object.prototype)
    expect(Object.keys(got).sort()).toEqual(['__proto__', 'constructor', 'then'])
    expect(({} as Record<string, unknown>).polluted).toBe(undefined)
  })
})
