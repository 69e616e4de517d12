import { until } from '@pyisolate/test-kit'
import { describe, expect, it } from 'vitest'
import { Fifo } from '../src/internal/session/fifo.js'
import { fakeSupervisor } from './support.js'

describe('nothing grows', () => {
  it('over a thousand sandboxes', async () => {
    const { supervisor, engine } = fakeSupervisor((_request, guest) => guest.post(1))
    const signal = new AbortController().signal
    const sandboxes: WeakRef<object>[] = []
    for (let i = 0; i < 1000; i++) {
      const sandbox = await supervisor.spawn('same name', { signal })
      sandboxes.push(new WeakRef(sandbox))
      await sandbox.exec('', { signal })
      await sandbox.recv({ signal })
      await sandbox.close()
    }
    expect(supervisor.sandboxes()).toEqual([])
    expect(engine.stats().sandboxes).toBe(0)
    const collect = (globalThis as { gc?: () => void }).gc!
    await until(() => {
      collect()
      return sandboxes.filter((sandbox) => sandbox.deref() !== undefined).length < 10
    })
  }, 20_000)
})

describe('Fifo', () => {
  it('keeps order and lets go of what has left', () => {
    const queue = new Fifo<number>()
    let next = 0
    for (let i = 0; i < 10_000; i++) {
      queue.push(i)
      if (i % 3 > 0) expect(queue.shift()).toBe(next++)
    }
    expect(queue.size).toBe(10_000 - next)
    while (queue.size > 0) expect(queue.shift()).toBe(next++)
    expect(queue.shift()).toBe(undefined)
    expect(next).toBe(10_000)
  })
})
