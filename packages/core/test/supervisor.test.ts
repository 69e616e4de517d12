import { EngineClosedError } from '@pyisolate/interface'
import { FakeEngine } from '@pyisolate/test-kit'
import { describe, expect, it } from 'vitest'
import { createSupervisor, type Outcome, type Sandbox } from '../src/index.js'
import { fakeSupervisor, rejection } from './support.js'

describe('a supervisor', () => {
  it('knows its sandboxes, oldest first', async () => {
    const { supervisor } = fakeSupervisor()
    const a = await supervisor.spawn('a')
    const b = await supervisor.spawn('b', { cell: 'c' })
    expect(supervisor.sandboxes()).toEqual([a, b])
    expect(a).toMatchObject({
      name: 'a',
      isolation: 'process',
      cell: undefined,
      state: 'running',
      pid: expect.any(Number),
    })
    expect(b).toMatchObject({ name: 'b', isolation: 'interpreter', cell: 'c' })
    expect(a.enforcement[0]).toMatchObject({ mechanism: 'fake' })
    await a.close()
    expect(supervisor.sandboxes()).toEqual([b])
    expect(supervisor.stats().sandboxes).toBe(1)
  })

  it('has one living sandbox of a name, also while it starts', async () => {
    const { supervisor } = fakeSupervisor()
    const starting = supervisor.spawn('a')
    expect(await rejection(supervisor.spawn('a'))).toMatchObject({ code: 'ERR_PYISOLATE_NAME_IN_USE', sandbox: 'a' })
    await (await starting).close()
    await supervisor.spawn('a')
  })

  it('frees the name of a spawn that failed', async () => {
    let fail = true
    const onSpawn = () => {
      if (fail) throw new EngineClosedError('no')
    }
    const { supervisor } = fakeSupervisor(undefined, { engine: { onSpawn } })
    await rejection(supervisor.spawn('a'))
    expect(await rejection(supervisor.spawn('a', { inputs: { f: (() => 1) as never } }))).toMatchObject({
      code: 'ERR_PYISOLATE_VALUE',
      message: 'value at $.inputs.f: a function cannot cross',
    })
    fail = false
    await supervisor.spawn('a')
  })

  it('gives an aborted spawn up with its reason', async () => {
    const { supervisor, engine } = fakeSupervisor(undefined, { engine: { spawnDelay: 50 } })
    const controller = new AbortController()
    const spawning = rejection(supervisor.spawn('a', { signal: controller.signal }))
    setTimeout(() => controller.abort('never mind'), 10)
    expect(await spawning).toBe('never mind')
    expect(await rejection(supervisor.spawn('a', { signal: controller.signal }))).toBe('never mind')
    expect(engine.stats().sandboxes).toBe(0)
    const signal = new AbortController()
    const sandbox = await supervisor.spawn('a', { signal: signal.signal })
    signal.abort()
    await sandbox.exec('lives on')
  })

  it('announces what happens', async () => {
    const { supervisor } = fakeSupervisor()
    const events: unknown[] = []
    supervisor.on('spawn', (sandbox: Sandbox) => events.push(['spawn', sandbox.name]))
    supervisor.on('exit', (sandbox: Sandbox, outcome: Outcome) => events.push(['exit', sandbox.name, outcome.kind]))
    supervisor.once('close', () => events.push(['close']))
    await (await supervisor.spawn('a')).close()
    await supervisor.spawn('b')
    await supervisor.close()
    await new Promise((resolve) => setImmediate(resolve))
    expect(events).toEqual([
      ['spawn', 'a'],
      ['exit', 'a', 'closed'],
      ['spawn', 'b'],
      ['exit', 'b', 'closed'],
      ['close'],
    ])
  })

  it('closes everything, spawns under way too, and is then closed', async () => {
    const { supervisor, engine } = fakeSupervisor(undefined, { engine: { spawnDelay: 30 } })
    const sandbox = await supervisor.spawn('a')
    const starting = rejection(supervisor.spawn('b'))
    await supervisor.close()
    expect(await sandbox.closed).toMatchObject({ kind: 'closed' })
    expect(await starting).toMatchObject({ code: 'ERR_PYISOLATE_SUPERVISOR_CLOSED' })
    expect(await rejection(supervisor.spawn('c'))).toMatchObject({ code: 'ERR_PYISOLATE_SUPERVISOR_CLOSED' })
    expect(supervisor.sandboxes()).toEqual([])
    expect(engine.stats().sandboxes).toBe(0)
    await supervisor.close()
    // An engine that was given stays its giver's.
    await createSupervisor({ engine }).spawn('d')
  })

  it('tells every sandbox of a cell why the cell ended', async () => {
    const { supervisor, engine } = fakeSupervisor()
    const [a, b] = await Promise.all(['a', 'b'].map((name) => supervisor.spawn(name, { cell: 'shared' })))
    const other = await supervisor.spawn('other', { cell: 'another' })
    engine.killCell('shared', { culprit: 'a', reason: 'timeout:call:500' })
    expect(await a!.closed).toMatchObject({ kind: 'timeout', limit: 'call', ms: 500 })
    expect(await b!.closed).toMatchObject({ kind: 'cell', cell: 'shared', detail: { kind: 'timeout', ms: 500 } })
    expect(other.state).toBe('running')
  })

  it('starts nothing before the first spawn', async () => {
    const supervisor = createSupervisor({ engine: new FakeEngine() })
    expect(supervisor.stats()).toEqual({ sandboxes: 0, pooled: 0, cells: 0, zygotes: 0 })
    await supervisor.close()
  })

  it('runs hundreds side by side', async () => {
    const { supervisor } = fakeSupervisor(({ code }) => code)
    const sandboxes = await Promise.all(Array.from({ length: 300 }, (_, i) => supervisor.spawn(`s${i}`)))
    const answers = await Promise.all(sandboxes.map((sandbox, i) => sandbox.eval(String(i))))
    expect(answers).toEqual(sandboxes.map((_, i) => String(i)))
  })
})
