import type { Engine } from '@pyisolate/interface'
import { EngineClosedError, FrameType, SpawnError } from '@pyisolate/interface'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { ZygoteEvent } from '../src/index.js'
import {
  alive,
  children,
  fakeNativeEngine,
  openDescriptors,
  request,
  sleep,
  spawnFake,
  string,
  text,
  until,
} from './support/fake.js'

describe('process cells', () => {
  let engine: Engine
  const events: ZygoteEvent[] = []

  beforeEach(() => {
    events.length = 0
    engine = fakeNativeEngine({ onZygote: (event) => events.push(event) })
  })
  afterEach(() => engine.close())

  /** Its cells are forked and have said that they are ready. */
  async function poolAtRest(): Promise<void> {
    await until('the pool is full', () => engine.stats().pooled === 2 && children() === engine.stats().cells + 1)
    await sleep(50)
  }

  test('a sandbox starts, answers, exits, and says how', async () => {
    const { cell, next, exit } = await spawnFake(engine)
    expect(cell.enforcement).toEqual([{ mechanism: 'fake', state: 'active', essential: true, detail: 'none' }])
    expect(alive(cell.pid)).toBe(true)
    cell.send(FrameType.message, 7, text('hello'))
    const answer = await next((frame) => frame.id === 7)
    expect([answer.type, string(answer.payload)]).toEqual([FrameType.result, 'hello'])
    expect(cell.usage().rssKiB).toBeGreaterThan(0)
    cell.send(FrameType.exec, 8, text('exit 5'))
    expect(await exit).toMatchObject({ code: 5, signal: null, killedBy: null })
    expect(cell.send(FrameType.message, 9, text('late'))).toBe(true)
    expect(cell.usage()).toEqual({ cpuMs: 0, rssKiB: 0, privateKiB: 0 })
  })

  test('end: in good order, then by force', async () => {
    const good = await spawnFake(engine)
    expect(await good.cell.end(1000)).toMatchObject({ code: 0, signal: null, killedBy: null })
    const bad = await spawnFake(engine)
    bad.cell.send(FrameType.exec, 2, text('hang'))
    expect(await bad.cell.end(20)).toMatchObject({ code: null, signal: 9, killedBy: 'closed' })
  })

  test('the first reason to kill counts', async () => {
    const { cell, exit } = await spawnFake(engine)
    cell.kill('first')
    cell.kill('second')
    expect(await exit).toMatchObject({ signal: 9, killedBy: 'first' })
  })

  test('a pool is filled, used and filled again, and its dead are replaced', async () => {
    const first = await spawnFake(engine)
    await until('the pool is full', () => engine.stats().pooled === 2)
    expect(engine.stats()).toEqual({ sandboxes: 1, pooled: 2, cells: 3, zygotes: 1 })
    const second = await spawnFake(engine)
    expect(second.cell.pid).not.toBe(first.cell.pid)
    await until('the pool is full again', () => engine.stats().pooled === 2)
    await Promise.all([first.cell.end(500), second.cell.end(500)])
    expect(engine.stats()).toMatchObject({ sandboxes: 0, cells: 2 })
  })

  test('an init that is sure is not waited for when it goes to a cell of the pool', async () => {
    await spawnFake(engine)
    await poolAtRest()
    // This one never answers: a spawn that waited for it would never resolve.
    const mute = await spawnFake(engine, { init: text('mute'), initIsSure: true })
    expect(mute.cell.enforcement).toHaveLength(1)
    await poolAtRest()
    const sure = await spawnFake(engine, { initIsSure: true })
    sure.cell.send(FrameType.message, 7, text('after init'))
    await sure.next((frame) => frame.id === 7)
    expect(sure.frames.map(({ id }) => id)).toEqual([7])
    expect(engine.stats().sandboxes).toBe(3)
  })

  test('an init that was sure and fails all the same ends its sandbox', async () => {
    await spawnFake(engine)
    await poolAtRest()
    const { exit } = await spawnFake(engine, { init: text('bad'), initIsSure: true })
    expect(await exit).toMatchObject({ code: 70, signal: null })
  })

  test('an init that is not sure is waited for', async () => {
    await spawnFake(engine)
    await poolAtRest()
    await expect(spawnFake(engine, { init: text('bad') })).rejects.toMatchObject({ code: 'ERR_PYISOLATE_SPAWN' })
  })

  test('another ring size goes the cold way', async () => {
    const { cell, next } = await spawnFake(engine, { ringBytes: 4096 })
    cell.send(FrameType.exec, 2, text('big 100000'))
    expect((await next((frame) => frame.type === FrameType.post)).payload.length).toBe(100_000)
  })

  test('a preload set has a zygote of its own', async () => {
    await spawnFake(engine)
    await spawnFake(engine, { preload: ['json'] })
    expect(engine.stats().zygotes).toBe(2)
  })

  test('kill -9 of the zygote leaves cells alive, and the next spawn starts another', async () => {
    const { cell, next } = await spawnFake(engine)
    await until('the pool is full', () => engine.stats().pooled === 2)
    const started = events.find((event) => event.kind === 'started')
    process.kill(started?.pid ?? 0, 'SIGKILL')
    await until('the zygote is gone', () => engine.stats().zygotes === 0)
    expect(events.at(-1)).toMatchObject({ kind: 'ended', signal: 9 })
    cell.send(FrameType.message, 7, text('still here'))
    await next((frame) => frame.id === 7)
    const others = await Promise.all([1, 2, 3].map(() => spawnFake(engine)))
    expect(others.every((other) => alive(other.cell.pid))).toBe(true)
    expect(events.filter((event) => event.kind === 'started')).toHaveLength(2)
  })

  test('close ends everything, and a later spawn is refused', async () => {
    const { cell, exit } = await spawnFake(engine)
    await engine.close()
    expect(await exit).toMatchObject({ signal: 9, killedBy: 'closed' })
    expect(alive(cell.pid)).toBe(false)
    expect(engine.stats()).toEqual({ sandboxes: 0, pooled: 0, cells: 0, zygotes: 0 })
    expect(children()).toBe(0)
    await expect(engine.spawn(request())).rejects.toBeInstanceOf(EngineClosedError)
  })
})

describe('what goes wrong', () => {
  const fails = async (misbehave: string, pattern: RegExp, overrides = {}): Promise<void> => {
    await using engine = fakeNativeEngine({ pool: 0 })
    const spawned = engine.spawn(request({ preload: [`fake:${misbehave}`], ...overrides }))
    await expect(spawned).rejects.toBeInstanceOf(SpawnError)
    await expect(spawned).rejects.toThrow(pattern)
    await until('no cell is left', () => engine.stats().cells === 0)
  }

  test('a zygote that crashes at its start says what it wrote', () =>
    fails('crashes', /status 7\nthe fake is out of order/))
  test('a zygote that gives up says why', () => fails('fails', /no module named fake: ENOENT/))
  test('a fork that fails says what to do', () => fails('fork-fails', /clone3: EAGAIN \(a limit of processes/))
  test('a zygote that dies while it forks leaves no orphan', async () => {
    await fails('dies-forking', /ended before it made the cell/)
    await until('orphans are reaped', () => children() === 0)
  })
  test('a cell that dies in init', () => fails('', /being prepared: it was ended by SIGABRT/, { init: text('die') }))
  test('a cell that refuses init', () => fails('', /could not be prepared/, { init: text('bad') }))

  test('an engine that is not there', async () => {
    await using engine = fakeNativeEngine({ executable: '/nowhere/engine' })
    await expect(engine.spawn(request())).rejects.toMatchObject({ code: 'ERR_PYISOLATE_ENGINE_MISSING' })
  })
})

describe('a spawn given up', () => {
  const stages: [string, Parameters<typeof request>[0], number][] = [
    ['before it began', {}, -1],
    ['while the zygote starts', { preload: ['fake:slow'] }, 20],
    ['while forking', { preload: ['fake:mute'] }, 50],
    ['in init', { init: text('mute') }, 50],
    ['in init of a shared cell', { isolation: 'interpreter', cell: 'c', init: text('mute') }, 50],
    ['in init of the shared cell itself', { isolation: 'interpreter', cell: 'c', cellInit: () => text('mute') }, 50],
  ]
  test.each(stages)('%s leaves nothing behind', async (_stage, overrides, ms) => {
    const before = openDescriptors()
    const reason = new Error('enough')
    await using engine = fakeNativeEngine({ pool: 0 })
    const stop = new AbortController()
    if (ms < 0) stop.abort(reason)
    const spawned = engine.spawn(request({ ...overrides, signal: stop.signal }))
    spawned.catch(() => {})
    if (ms >= 0) await sleep(ms)
    stop.abort(reason)
    await expect(spawned).rejects.toBe(reason)
    if (overrides?.preload?.[0] !== 'fake:mute') await until('no cell is left', () => engine.stats().cells === 0)
    await engine.close()
    await until('nothing is left', () => children() === 0)
    expect(openDescriptors()).toBeLessThanOrEqual(before + 1) // the addon's own epoll instance
  })

  test('close while spawning', async () => {
    const engine = fakeNativeEngine()
    const spawned = engine.spawn(request({ init: text('mute') }))
    const refused = expect(spawned).rejects.toBeInstanceOf(EngineClosedError)
    await sleep(30)
    await engine.close()
    await refused
    expect(children()).toBe(0)
  })
})
