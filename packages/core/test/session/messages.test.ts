import type { FakeScript } from '@pyisolate/test-kit'
import { until } from '@pyisolate/test-kit'
import { describe, expect, it } from 'vitest'
import { fakeSandbox, rejection } from '../support.js'

const script: FakeScript = async ({ code }, guest) => {
  const [verb, count, size = '0'] = code.split(' ')
  if (verb === 'exit') return guest.exit(0)
  if (verb === 'echo') for (;;) await guest.post(await guest.recv())
  for (let i = 0; i < Number(count); i++) await guest.post(Number(size) > 0 ? new Uint8Array(Number(size)) : i)
  return undefined
}

describe('messages', () => {
  it('come in order, before and after someone waits for them', async () => {
    const sandbox = await fakeSandbox(script)
    const first = sandbox.recv()
    const second = sandbox.recv()
    await sandbox.exec('post 4')
    expect(await Promise.all([first, second, sandbox.recv(), sandbox.recv()])).toEqual([0, 1, 2, 3])
  })

  it('go both ways', async () => {
    const sandbox = await fakeSandbox(script)
    void rejection(sandbox.exec('echo'))
    await Promise.all([sandbox.send(1), sandbox.send({ a: [null] }), sandbox.send('x'.repeat(100_000))])
    expect([await sandbox.recv(), await sandbox.recv(), await sandbox.recv()]).toEqual([
      1,
      { a: [null] },
      'x'.repeat(100_000),
    ])
    expect(await rejection(sandbox.send(Symbol('s') as never))).toMatchObject({ code: 'ERR_PYISOLATE_VALUE' })
  })

  it('recv has a timeout and a signal, and leaves no message behind', async () => {
    const sandbox = await fakeSandbox(script)
    expect(await rejection(sandbox.recv({ timeout: 20 }))).toMatchObject({
      code: 'ERR_PYISOLATE_TIMEOUT',
      limit: 'recv',
      ms: 20,
    })
    const controller = new AbortController()
    const aborted = rejection(sandbox.recv({ signal: controller.signal }))
    controller.abort('enough')
    expect(await aborted).toBe('enough')
    expect(await rejection(sandbox.recv({ signal: controller.signal }))).toBe('enough')
    expect(await rejection(sandbox.recv({ timeout: 'soon' as never }))).toMatchObject({ code: 'ERR_PYISOLATE_OPTION' })
    await sandbox.exec('post 1')
    expect(await sandbox.recv({ timeout: 1000 })).toBe(0)
  })

  it('can be iterated until the end, however it came', async () => {
    const sandbox = await fakeSandbox(script)
    void sandbox.exec('post 3').then(() => rejection(sandbox.exec('exit')))
    const got: unknown[] = []
    for await (const message of sandbox.messages()) got.push(message)
    expect(got).toEqual([0, 1, 2])
    expect(await sandbox.closed).toMatchObject({ kind: 'exit' })
  })

  it('can be left in the middle, also while waiting', async () => {
    const sandbox = await fakeSandbox(script)
    await sandbox.exec('post 2')
    for await (const message of sandbox.messages()) {
      expect(message).toBe(0)
      break
    }
    expect(await sandbox.recv()).toBe(1)
    const messages = sandbox.messages()
    const waiting = messages.next()
    await messages.return!()
    expect(await waiting).toEqual({ done: true, value: undefined })
    await sandbox.exec('post 1')
    expect(await sandbox.recv()).toBe(0)
  })

  it('iterating can be aborted', async () => {
    const sandbox = await fakeSandbox(script)
    const signal = AbortSignal.timeout(20)
    const iterate = async () => {
      for await (const _ of sandbox.messages({ signal }));
    }
    expect((await rejection(iterate())).name).toBe('TimeoutError')
  })

  it('can be received after the end', async () => {
    const sandbox = await fakeSandbox(script)
    await sandbox.exec('post 2')
    await sandbox.close()
    expect(await sandbox.recv()).toBe(0)
    expect(await sandbox.recv()).toBe(1)
    expect(await rejection(sandbox.recv())).toMatchObject({ code: 'ERR_PYISOLATE_SANDBOX_CLOSED' })
  })
})

describe('a guest that posts more than anyone receives', () => {
  const limits = { unread: 100_000 }

  it('is held up, and goes on when half of it has been received', async () => {
    const sandbox = await fakeSandbox(script, { limits })
    let done = false
    const posting = sandbox.exec('post 300 1000').then(() => (done = true))
    await until(() => sandbox.stats().unreadBytes >= 100_000)
    const atRest = sandbox.stats().posted
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(sandbox.stats().posted).toBe(atRest)
    expect(done).toBe(false)
    for (let i = 0; i < 300; i++) expect(await sandbox.recv()).toHaveLength(1000)
    await posting
    expect(sandbox.stats()).toMatchObject({ posted: 300, unreadBytes: 0 })
  })

  it('learns of its deadline all the same, and nothing is lost', async () => {
    const sandbox = await fakeSandbox(script, { limits })
    const error = await rejection(sandbox.exec('post 300 1000', { timeout: 50 }))
    expect(error).toMatchObject({ code: 'ERR_PYISOLATE_TIMEOUT', outcome: undefined })
    expect(error.message).toContain('its post() was waiting for the host to receive (limits.unread: 100000 bytes)')
    const { posted } = sandbox.stats()
    expect(posted).toBeGreaterThan(90)
    expect(posted).toBeLessThan(250)
    for (let i = 0; i < posted; i++) await sandbox.recv({ timeout: 100 })
    await sandbox.exec('post 1')
    expect(await sandbox.recv()).toBe(0)
  })

  it('can be aborted', async () => {
    const sandbox = await fakeSandbox(script, { limits })
    expect((await rejection(sandbox.exec('post 300 1000', { signal: AbortSignal.timeout(50) }))).name).toBe(
      'TimeoutError',
    )
    expect(sandbox.state).toBe('running')
  })

  it('can be closed', async () => {
    const sandbox = await fakeSandbox(script, { limits })
    const posting = rejection(sandbox.exec('post 300 1000'))
    await until(() => sandbox.stats().unreadBytes >= 100_000)
    expect(await sandbox.close()).toMatchObject({ kind: 'closed' })
    // The answer to its interrupt may have been the last thing it said.
    expect((await posting).code).toMatch(/SANDBOX_CLOSED|GUEST/)
  })

  it('may post one message larger than the limit', async () => {
    const sandbox = await fakeSandbox(script, { limits })
    await Promise.all([sandbox.exec('post 2 500000'), sandbox.recv().then(() => sandbox.recv())])
  })
})
