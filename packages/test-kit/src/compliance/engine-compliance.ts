import {
  DeadlineSlot,
  type Engine,
  EngineClosedError,
  FrameType,
  INIT_ID,
  type Isolation,
  SpawnError,
} from '@pyisolate/interface'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fromCbor, toCbor } from '../internal/cbor.js'
import { until } from '../internal/until.js'
import { Probe, type ProbeOptions } from './probe.js'
import { programs } from './programs.js'

export interface EngineComplianceOptions {
  /** A new engine for each test. */
  readonly create: () => Engine
  readonly isolation?: Isolation
}

const never = Number.POSITIVE_INFINITY
const settle = (ms = 100) => new Promise((resolve) => setTimeout(resolve, ms))

/** What every `Engine` promises its callers, the fake one included. */
export function engineCompliance(name: string, { create, isolation = 'process' }: EngineComplianceOptions): void {
  describe(`${name} keeps the promises of Engine`, () => {
    let engine: Engine
    beforeEach(() => {
      engine = create()
    })
    afterEach(() => engine.close())
    const spawn = (options: ProbeOptions = {}) => Probe.spawn(engine, { isolation, ...options })

    it('spawns a confined sandbox that has answered init', async () => {
      const { cell, frames } = await spawn()
      expect(cell.pid).toBeGreaterThan(0)
      expect(Array.isArray(cell.enforcement)).toBe(true)
      for (const entry of cell.enforcement) {
        expect(entry).toEqual({
          mechanism: expect.any(String),
          state: expect.stringMatching(/^(active|unavailable)$/),
          essential: expect.any(Boolean),
          detail: expect.any(String),
        })
      }
      expect(frames.filter(({ id }) => id === INIT_ID)).toEqual([])
      expect(engine.stats().sandboxes).toBe(1)
    })

    it('answers requests in order, each by its id', async () => {
      const probe = await spawn()
      const ids = [probe.start(programs.nothing), probe.start(programs.one, FrameType.eval), probe.start(programs.fail)]
      await probe.answer(ids[2]!)
      expect(probe.frames.map(({ type, id }) => [type, id])).toEqual([
        [FrameType.result, ids[0]],
        [FrameType.result, ids[1]],
        [FrameType.error, ids[2]],
      ])
      expect(probe.values(FrameType.result)).toEqual([null, 1])
      expect(probe.values(FrameType.error)).toEqual([
        expect.objectContaining({ type: 'ZeroDivisionError', message: 'division by zero', frames: expect.any(Array) }),
      ])
    })

    it('carries messages both ways, prints, and calls the host', async () => {
      const probe = await spawn({ functions: ['add'] })
      await probe.run(programs.print)
      expect(
        Buffer.concat(
          probe.frames.filter(({ type }) => type === FrameType.out).map(({ payload }) => payload),
        ).toString(),
      ).toBe('hello\n')
      const calling = probe.start(programs.host)
      await until(() => probe.frames.some(({ type }) => type === FrameType.hostCall))
      const call = probe.frames.find(({ type }) => type === FrameType.hostCall)!
      expect(fromCbor(call.payload)).toMatchObject({ name: 'add', args: [1, 2], kwargs: {} })
      probe.cell.send(FrameType.reply, 987_654, toCbor('to nobody'))
      probe.cell.send(FrameType.reply, call.id, toCbor(3))
      await probe.answer(calling)
      probe.start(programs.echo)
      probe.cell.send(FrameType.message, 0, toCbor({ a: [1] }))
      await until(() => probe.values(FrameType.post).length === 2)
      expect(probe.values(FrameType.post)).toEqual([3, { a: [1] }])
    })

    it('takes frames larger than a ring, and says when they are through', async () => {
      const probe = await spawn({ ringBytes: 4096 })
      probe.start(programs.echo)
      const large = new Uint8Array(200_000).fill(7)
      expect(probe.cell.send(FrameType.message, 0, toCbor(large))).toBe(false)
      await until(() => probe.drains > 0 && probe.values(FrameType.post).length === 1, 10_000)
      expect(Buffer.compare(probe.values(FrameType.post)[0] as Uint8Array, large)).toBe(0)
    })

    it('holds back messages that are not taken, and nothing else', async () => {
      const probe = await spawn({ ringBytes: 4096, functions: ['add'] })
      const calling = probe.start(programs.host)
      await until(() => probe.frames.some(({ type }) => type === FrameType.hostCall))
      const results = Array.from({ length: 200 }, (_, i) =>
        probe.cell.send(FrameType.message, 0, toCbor([i, new Uint8Array(1000)])),
      )
      expect(results.indexOf(false)).toBeGreaterThan(0)
      expect(results.indexOf(false)).toBeLessThan(50)
      probe.cell.send(FrameType.reply, probe.frames.find(({ type }) => type === FrameType.hostCall)!.id, toCbor(3))
      await probe.answer(calling)
      expect(probe.drains).toBe(0)
      probe.start(programs.echo)
      await until(() => probe.values(FrameType.post).length === 201, 10_000)
      const [, ...echoed] = probe.values(FrameType.post) as [number, ...[number, unknown][]]
      expect(echoed.map(([i]) => i)).toEqual(results.map((_, i) => i))
      await until(() => probe.drains > 0)
    })

    it('delivers nothing while paused, and then everything', async () => {
      const probe = await spawn({ ringBytes: 4096 })
      probe.cell.pause()
      const id = probe.start(programs.burst)
      await settle()
      const before = probe.frames.length
      await settle()
      expect(probe.frames.length).toBe(before)
      expect(before).toBeLessThan(2000)
      probe.cell.resume()
      await probe.answer(id)
      expect(probe.values(FrameType.post)).toEqual(Array.from({ length: 2000 }, (_, i) => i))
    })

    it('interrupts', async () => {
      const probe = await spawn()
      const id = probe.start(programs.loop)
      await settle()
      probe.cell.interrupt()
      await probe.answer(id)
      expect(probe.values(FrameType.error)).toMatchObject([{ type: 'KeyboardInterrupt' }])
      await probe.run(programs.nothing)
    })

    it('keeps a soft deadline, and lets go of a cleared one', async () => {
      const probe = await spawn()
      probe.cell.setDeadline(DeadlineSlot.call, 50, 5000, 'late')
      await probe.run(programs.loop)
      expect(probe.values(FrameType.error)).toMatchObject([{ type: 'KeyboardInterrupt' }])
      probe.cell.setDeadline(DeadlineSlot.call, 20, 40, 'late')
      probe.cell.setDeadline(DeadlineSlot.call, never, never, '')
      await settle()
      await probe.run(programs.nothing)
      expect(probe.exits).toEqual([])
    })

    it('keeps a hard deadline, in either slot', async () => {
      for (const slot of [DeadlineSlot.call, DeadlineSlot.sandbox]) {
        const probe = await spawn({ name: `slot ${slot}` })
        probe.start(programs.stubborn)
        const start = performance.now()
        probe.cell.setDeadline(slot, 50, 150, 'late')
        const exit = await probe.exit()
        expect(exit.killedBy).toBe('late')
        expect(performance.now() - start).toBeGreaterThan(140)
        expect(performance.now() - start).toBeLessThan(1000)
      }
    })

    it('ends in good order', async () => {
      const probe = await spawn()
      await probe.run(programs.nothing)
      const exit = await probe.cell.end(2000)
      expect(exit.killedBy).toBe(null)
      expect(probe.exits).toEqual([exit])
      expect(probe.values(FrameType.exit)).toMatchObject([{ kind: 'closed' }])
    })

    it('ends by force after the grace', async () => {
      const probe = await spawn()
      probe.start(programs.stubborn)
      await settle()
      const exit = await probe.cell.end(50)
      expect(exit.killedBy).toBe('closed')
    })

    it('reports an exit once, with the first reason, and is then deaf', async () => {
      const probe = await spawn()
      probe.start(programs.loop)
      probe.cell.kill('first')
      probe.cell.kill('second')
      const exit = await probe.exit()
      expect(exit.killedBy).toBe('first')
      const { cell } = probe
      expect(cell.send(FrameType.message, 0, toCbor(1))).toBe(true)
      cell.pause()
      cell.resume()
      cell.interrupt()
      cell.kill('third')
      cell.setDeadline(DeadlineSlot.call, 1, 2, 'late')
      cell.setCpuLimit(1)
      expect(cell.usage()).toEqual({ cpuMs: 0, rssKiB: 0, privateKiB: 0 })
      expect(await cell.end(10)).toEqual(exit)
      await settle()
      expect(probe.exits).toHaveLength(1)
      expect(engine.stats().sandboxes).toBe(0)
    })

    it("delivers what was sent before the end, and SystemExit's code", async () => {
      const probe = await spawn()
      await probe.run(programs.burst)
      probe.start(programs.exit)
      const exit = await probe.exit()
      expect(exit.killedBy).toBe(null)
      expect(probe.values(FrameType.post)).toHaveLength(2000)
      expect(probe.frames.at(-1)?.type).toBe(FrameType.exit)
      expect(probe.values(FrameType.exit)).toMatchObject([{ kind: 'exit', code: 7 }])
    })

    it('exits also while paused', async () => {
      const probe = await spawn()
      probe.cell.pause()
      probe.start(programs.burst)
      await settle()
      probe.cell.kill('stop')
      expect((await probe.exit()).killedBy).toBe('stop')
    })

    it('runs several side by side', async () => {
      const probes = await Promise.all(['a', 'b', 'c'].map((sandbox) => spawn({ name: sandbox })))
      probes[0]!.start(programs.loop)
      await Promise.all(probes.slice(1).map((probe) => probe.run(programs.nothing)))
      expect(engine.stats().sandboxes).toBe(3)
      if (isolation === 'interpreter') expect(new Set(probes.map(({ cell }) => cell.pid)).size).toBe(1)
      await probes[1]!.cell.end(2000)
      await probes[2]!.run(programs.nothing)
      expect(engine.stats().sandboxes).toBe(2)
    })

    it("gives an aborted spawn up, with the signal's reason, at any time", async () => {
      for (const wait of [0, 1, 2, 4, 8]) {
        const probe = new Probe()
        const controller = new AbortController()
        const reason = new Error(`aborted after ${wait} ms`)
        if (wait === 0) controller.abort(reason)
        const spawning = engine.spawn(probe.request({ isolation, name: `aborted ${wait}`, signal: controller.signal }))
        const result = spawning.then(
          () => 'running',
          (error: unknown) => error,
        )
        await settle(wait)
        controller.abort(reason)
        if ((await result) === 'running') await (await spawning).end(2000)
        else {
          expect(await result).toBe(reason)
          expect(probe.exits).toEqual([])
        }
      }
      await until(() => engine.stats().sandboxes === 0)
      await (await spawn()).run(programs.nothing)
    })

    it('refuses an init that is no init', async () => {
      await expect(spawn({ init: Uint8Array.of(0xff) })).rejects.toSatisfy(SpawnError.isInstance)
      await (await spawn()).run(programs.nothing)
    })

    it('closes with everything in it, once', async () => {
      const probes = await Promise.all(['a', 'b'].map((sandbox) => spawn({ name: sandbox })))
      probes[0]!.start(programs.stubborn)
      await Promise.all([engine.close(), engine.close()])
      for (const probe of probes) expect(probe.exits).toHaveLength(1)
      expect(engine.stats().sandboxes).toBe(0)
      await expect(spawn()).rejects.toSatisfy(EngineClosedError.isInstance)
    })
  })
}
