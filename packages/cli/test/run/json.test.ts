import { FakeException } from '@pyisolate/test-kit'
import { expect, it } from 'vitest'
import { runWith } from '../support.js'

it('makes every event a line, in order', async () => {
  const { code, terminal } = await runWith(
    async (_, guest) => {
      await guest.print('a\nb')
      await guest.post([1, 'x'])
      await guest.print('c', 'err')
      throw new FakeException('ValueError', 'no')
    },
    ['--json'],
  )
  expect(code).toBe(1)
  expect(terminal.events).toEqual([
    { stream: 'stdout', text: 'a\nb' },
    { post: [1, 'x'] },
    { stream: 'stderr', text: 'c' },
    { error: expect.objectContaining({ type: 'ValueError', message: 'no', traceback: expect.any(String) }) },
    { outcome: { kind: 'exit', code: 1, message: expect.any(String), exitCode: 1 } },
  ])
  expect(terminal.err).toBe('')
})

it('keeps characters whole and bytes exact', async () => {
  const euro = Buffer.from('€')
  const { terminal } = await runWith(
    async (_, guest) => {
      await guest.print(euro.subarray(0, 1))
      await guest.print(euro.subarray(1))
      await guest.print(Uint8Array.of(0xff, 0x61))
      await guest.print(euro.subarray(0, 2))
    },
    ['--json'],
  )
  expect(terminal.events.slice(0, -1)).toEqual([
    { stream: 'stdout', text: '€' },
    { stream: 'stdout', base64: '/2E=' },
    { stream: 'stdout', base64: '4oI=' },
  ])
})

it('tells a timeout as data', async () => {
  const { terminal } = await runWith((_, guest) => guest.sleep(10_000), ['--json', '--timeout', '50ms'])
  expect(terminal.events.at(-1)).toEqual({
    outcome: { kind: 'timeout', limit: 'call', ms: 50, message: expect.any(String), exitCode: 124 },
  })
})
