import { type Engine, FrameType, type LimitReached } from '@pyisolate/interface'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { fakeNativeEngine, sleep, spawnFake, string, text, until } from './support/fake.js'

let engine: Engine
beforeAll(() => {
  engine = fakeNativeEngine({ pool: 0 })
})
afterAll(() => engine.close())

const small = { ringBytes: 4096 }
const isPost = (frame: { type: number }): boolean => frame.type === FrameType.post

describe('frames', () => {
  test('larger than the ring, both ways, arrive whole', async () => {
    const { cell, next } = await spawnFake(engine, small)
    const bytes = Buffer.alloc(3_000_001)
    for (let i = 0; i < bytes.length; i++) bytes[i] = i % 251
    cell.send(FrameType.message, 3, bytes)
    const back = await next((frame) => frame.id === 3)
    expect(Buffer.compare(back.payload, bytes)).toBe(0)
  })

  test.each([0, 1, 15, 16, 4079, 4080, 4081, 4095, 4096, 4097, 8192])(
    'of %i bytes around the ring size',
    async (size) => {
      const { cell, next } = await spawnFake(engine, small)
      const bytes = Buffer.alloc(size, 'b')
      for (let id = 1; id <= 9; id++) cell.send(FrameType.message, id, bytes)
      for (let id = 1; id <= 9; id++) expect((await next((frame) => frame.id === id)).payload.length).toBe(size)
      await cell.end(500)
    },
  )

  test('a full ring queues, says so, and drops nothing', async () => {
    const { cell, next, drains } = await spawnFake(engine, small)
    const results: boolean[] = []
    for (let id = 1; id <= 2000; id++) results.push(cell.send(FrameType.message, id, text(`message ${id}`)))
    expect(results).toContain(false)
    for (let id = 1; id <= 2000; id++)
      expect(string((await next((frame) => frame.id === id)).payload)).toBe(`message ${id}`)
    expect(drains.count).toBeGreaterThan(0)
  })

  test('messages that are not taken wait here, and nothing else waits for them', async () => {
    const { cell, frames, next, drains } = await spawnFake(engine, small)
    cell.send(FrameType.exec, 1, text('keep'))
    const results: boolean[] = []
    for (let id = 100; id < 200; id++) results.push(cell.send(FrameType.message, id, Buffer.alloc(1000)))
    cell.send(FrameType.exec, 2, text('nothing'))
    await next((frame) => frame.id === 2)
    // Four rings' worth, each with 128 bytes more.
    expect(frames.filter(({ id }) => id >= 100)).toHaveLength(14)
    expect(results).toContain(false)
    expect(drains.count).toBe(0)
    cell.send(FrameType.message, 200, Buffer.alloc(100_000))
    cell.send(FrameType.exec, 3, text('take'))
    await next((frame) => frame.id === 200)
    expect(frames.filter(({ id }) => id >= 100).map(({ id }) => id)).toEqual(
      Array.from({ length: 101 }, (_, i) => 100 + i),
    )
    await until('it is drained', () => drains.count > 0)
  })

  test('a guest that has taken what it was not sent is ended', async () => {
    const { cell, next, corrupt, exit } = await spawnFake(engine, small)
    cell.send(FrameType.exec, 1, text('forge-taken'))
    await next((frame) => frame.id === 1)
    cell.send(FrameType.message, 2, text('x'))
    expect(await exit).toMatchObject({ killedBy: 'protocol' })
    expect(corrupt).toEqual(['more messages taken than were sent'])
  })

  test('limits that the cell has met are told before what it says next, however it counts', async () => {
    const told: unknown[] = []
    const onLimit = (reached: LimitReached) => told.push(reached)
    const onFrame = (frame: { id: number }) => told.push(frame.id)
    const { cell, next } = await spawnFake(engine, { ...small, onLimit, onFrame })
    // Across the end of the counter; the last one is nothing new.
    for (const [at, count] of [1, 2 ** 32 - 1, 3, 0].entries()) {
      cell.send(FrameType.exec, at + 2, text(`refuse ${count}`))
      await next((frame) => frame.id === at + 2)
    }
    const event = { limit: 'threads', toldBy: 'guest' }
    expect(told).toEqual([{ ...event, lost: 0 }, 2, { ...event, lost: 2 ** 32 - 2 }, 3, { ...event, lost: 2 }, 4, 5])
    cell.send(FrameType.exec, 9, text('refuse-all 100000'))
    await next((frame) => frame.id === 9)
    for (const one of told.slice(7, -1) as LimitReached[]) expect(one.lost).toBeLessThan(2 ** 32)
    await cell.end(500)
  })

  test('paused: the guest blocks, nothing is lost, the end is still told', async () => {
    const { cell, frames, next, exit } = await spawnFake(engine, small)
    cell.pause()
    cell.send(FrameType.exec, 2, text('flood 5000'))
    await sleep(100)
    expect(frames.length).toBe(0)
    expect(cell.usage().cpuMs).toBeLessThan(60)
    cell.resume()
    await next((frame) => frame.type === FrameType.result)
    expect(frames.filter(isPost).map((frame) => frame.id)).toEqual(Array.from({ length: 5000 }, (_, i) => i))
    cell.pause()
    cell.kill('paused')
    expect(await exit).toMatchObject({ killedBy: 'paused' })
  })

  test('pausing inside a frame stops with that frame', async () => {
    let paused = false
    const { cell, frames } = await spawnFake(engine, {
      onFrame: () => {
        cell.pause()
        paused = true
      },
    })
    cell.send(FrameType.exec, 2, text('flood 100'))
    await sleep(50)
    expect([paused, frames.length]).toEqual([true, 1])
  })

  test('what a dead cell left is delivered before its end', async () => {
    const { cell, frames, exit } = await spawnFake(engine)
    cell.send(FrameType.exec, 2, text('flood 1000'))
    cell.send(FrameType.exec, 3, text('exit 4'))
    expect(await exit).toMatchObject({ code: 4 })
    expect(frames.filter(isPost)).toHaveLength(1000)
    expect(frames.at(-1)?.type).toBe(FrameType.exit)
  })

  test('one that floods does not starve the others', async () => {
    const noisy = await spawnFake(engine)
    const quiet = await spawnFake(engine)
    noisy.cell.send(FrameType.exec, 2, text('flood 200000'))
    await noisy.next(isPost)
    const before = noisy.frames.length
    for (let id = 10; id < 20; id++) {
      quiet.cell.send(FrameType.message, id, text('?'))
      await quiet.next((frame) => frame.id === id)
    }
    expect(before).toBeLessThan(200000)
    expect(noisy.frames.length).toBeLessThan(200000)
    await noisy.next((frame) => frame.type === FrameType.result)
    expect(noisy.frames.filter(isPost)).toHaveLength(200000)
  })
})

describe('a hostile peer', () => {
  test.each([
    ['corrupt-written', 'impossible write position'],
    ['corrupt-written 99999999', 'impossible write position'],
    ['bad-type', 'unknown frame type'],
    ['oversize', 'frame longer than allowed'],
  ])('%s', async (what, detail) => {
    const { cell, corrupt, exit } = await spawnFake(engine)
    cell.send(FrameType.exec, 2, text(what))
    expect(await exit).toMatchObject({ signal: 9, killedBy: 'protocol' })
    expect(corrupt).toEqual([detail])
  })

  test('corrupt-read is found by the next send', async () => {
    const { cell, corrupt, exit } = await spawnFake(engine)
    cell.send(FrameType.exec, 2, text('corrupt-read'))
    await sleep(50)
    cell.send(FrameType.message, 3, text('?'))
    expect(await exit).toMatchObject({ killedBy: 'protocol' })
    expect(corrupt).toEqual(['impossible read position'])
  })

  test('dying in the middle of a frame', async () => {
    const { cell, frames, exit } = await spawnFake(engine)
    cell.send(FrameType.exec, 2, text('mid-frame'))
    expect(await exit).toMatchObject({ code: 3, killedBy: null })
    expect(frames).toEqual([])
  })

  test('never reading', async () => {
    const { cell, exit } = await spawnFake(engine)
    cell.send(FrameType.exec, 2, text('hang'))
    let accepted = 0
    while (cell.send(FrameType.message, 3, Buffer.alloc(10_000))) accepted++
    expect(accepted).toBeLessThan(20)
    cell.kill('unread')
    expect(await exit).toMatchObject({ killedBy: 'unread' })
  })

  test('a cell is woken for what is sent to it, and for nothing else', async () => {
    const { cell, next } = await spawnFake(engine)
    const rings = async (id: number): Promise<number> => {
      cell.send(FrameType.exec, id, text('rings'))
      const post = await next((frame) => isPost(frame) && frame.id === id)
      await next((frame) => frame.type === FrameType.result && frame.id === id)
      return Number(string(post.payload))
    }
    const before = await rings(1)
    for (let id = 2; id < 100; id++) await rings(id)
    expect((await rings(100)) - before).toBeLessThanOrEqual(99)
  })

  test('a frame limit can be set per spawn, on pooled cells too', async () => {
    await using pooled = fakeNativeEngine()
    await spawnFake(pooled)
    for (const maxFrameBytes of [1000, 100_000]) {
      const { cell, exit, corrupt } = await spawnFake(pooled, { maxFrameBytes })
      cell.send(FrameType.exec, 2, text('big 50000'))
      cell.send(FrameType.exec, 3, text('exit 0'))
      await exit
      expect(corrupt).toEqual(maxFrameBytes < 50_000 ? ['frame longer than allowed'] : [])
    }
  })
})
