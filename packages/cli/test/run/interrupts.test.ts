import { PassThrough } from 'node:stream'
import { until } from '@pyisolate/test-kit'
import { expect, it } from 'vitest'
import { FakeTerminal, runWith } from '../support.js'

it('raises KeyboardInterrupt on SIGINT: 130, with the traceback', async () => {
  const terminal = new FakeTerminal({ stdin: 'pass' })
  const { code } = await runWith(
    async (_, guest) => {
      terminal.press('SIGINT')
      await guest.sleep(10_000)
    },
    [],
    { terminal },
  )
  expect(code).toBe(130)
  expect(terminal.err).toMatch(/^Traceback[\s\S]*KeyboardInterrupt/)
  expect(terminal.err).not.toContain('pyisolate:')
})

it('leaves the exit to a program that catches it', async () => {
  const terminal = new FakeTerminal({ stdin: 'pass' })
  const { code } = await runWith(
    async (_, guest) => {
      terminal.press('SIGINT')
      await guest.sleep(10_000).catch(() => {})
      await guest.print('saved\n')
    },
    [],
    { terminal },
  )
  expect(code).toBe(0)
  expect(terminal.out).toBe('saved\n')
})

it('ends a program that ignores it on the second SIGINT', async () => {
  const terminal = new FakeTerminal({ stdin: 'pass' })
  const { code } = await runWith(
    async (_, guest) => {
      guest.ignoreInterrupts()
      terminal.press('SIGINT')
      setTimeout(() => terminal.press('SIGINT'), 20)
      await guest.sleep(10_000)
    },
    [],
    { terminal },
  )
  expect(code).toBe(130)
  expect(terminal.err).toBe('pyisolate: ended by SIGINT\n')
})

it('ends on SIGTERM: 143', async () => {
  const terminal = new FakeTerminal({ stdin: 'pass' })
  const { code } = await runWith(
    async (_, guest) => {
      terminal.press('SIGTERM')
      await guest.sleep(10_000)
    },
    [],
    { terminal },
  )
  expect(code).toBe(143)
})

it('gives a spawn up on SIGINT', async () => {
  const terminal = new FakeTerminal({ stdin: 'pass' })
  const onSpawn = (): void => void setTimeout(() => terminal.press('SIGINT'), 10)
  const { code } = await runWith(() => null, [], { terminal, spawnDelay: 200, onSpawn })
  expect(code).toBe(130)
})

it('holds the guest up while nobody takes its output, and loses none of it', async () => {
  const pipe = new PassThrough({ highWaterMark: 1024 })
  const terminal = new FakeTerminal({ stdin: 'pass', stdout: pipe })
  let written = 0
  const chunk = Buffer.alloc(4096, 'x')
  const running = runWith(
    async (_, guest) => {
      for (; written < 100; written++) await guest.print(chunk)
    },
    [],
    { terminal },
  )
  await until(() => pipe.writableNeedDrain, 2000, 'a full pipe')
  await new Promise((resolve) => setTimeout(resolve, 100))
  // A ring of 64 KiB, and what the pipe holds.
  expect(written).toBeLessThan(30)
  let size = 0
  pipe.on('data', (data: Buffer) => {
    size += data.length
  })
  expect((await running).code).toBe(0)
  expect(size).toBe(100 * 4096)
})

it('ends the program when whoever reads has gone: 141, without a word', async () => {
  const pipe = new PassThrough()
  const terminal = new FakeTerminal({ stdin: 'pass', stdout: pipe })
  const { code } = await runWith(
    async (_, guest) => {
      pipe.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
      for (;;) await guest.print('more\n')
    },
    [],
    { terminal },
  )
  expect(code).toBe(141)
  expect(terminal.err).toBe('')
})

it('says so when the output cannot be written: 125', async () => {
  const pipe = new PassThrough()
  const terminal = new FakeTerminal({ stdin: 'pass', stdout: pipe })
  const { code } = await runWith(
    async (_, guest) => {
      pipe.destroy(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }))
      await guest.sleep(10_000)
    },
    [],
    { terminal },
  )
  expect(code).toBe(125)
  expect(terminal.err).toContain("the output can't be written: ENOSPC")
})
