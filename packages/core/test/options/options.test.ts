import { describe, expect, it } from 'vitest'
import { createSupervisor, OptionError } from '../../src/index.js'
import { fakeSupervisor, rejection } from '../support.js'

describe('options of spawn', () => {
  it.each<[unknown, string]>([
    [{ limit: {} }, 'options.limit: unknown option; did you mean limits?'],
    [{ isolatoin: 'process' }, 'options.isolatoin: unknown option; did you mean isolation?'],
    [
      { zzzzzzzzzzz: 1 },
      'options.zzzzzzzzzzz: unknown option; known are policy, services, learn, onDenied, isolation, cell',
    ],
    [{ __proto__: null, constructor: 1 }, 'options.constructor: unknown option'],
    [[], 'options: expected an object of options, got []'],
    ['x', "options: expected an object of options, got 'x'"],
    [
      { policy: 5 },
      "options.policy: expected a template's name, a path such as './policy.yaml', or a compiled policy, got 5",
    ],
    [{ policy: { schema: 2 } }, 'options.policy: expected'],
    [{ learn: 'yes' }, "options.learn: expected a boolean, got 'yes'"],
    [{ onDenied: 1 }, 'options.onDenied: expected a function, got 1'],
    [
      { isolation: 'proces' },
      "options.isolation: expected 'process' or 'interpreter', got 'proces'; did you mean 'process'?",
    ],
    [{ isolation: 'process', cell: 'a' }, "options.cell: a cell is for isolation: 'interpreter'"],
    [{ cell: 'a', limits: { openFiles: 9 } }, 'options.limits.openFiles: in a shared cell it holds for the whole cell'],
    [{ cell: '' }, 'options.cell: expected a string of 1 to 100 characters'],
    [{ limits: { memroy: 1 } }, 'options.limits.memroy: unknown option; did you mean memory?'],
    [{ limits: { memory: 'lots' } }, 'options.limits.memory: expected a size from 8388608 to'],
    [{ limits: { memory: '1 XiB' } }, "got '1 XiB'"],
    [{ limits: { memory: 12.5 } }, 'got 12.5'],
    [{ limits: { callTime: 0 } }, 'options.limits.callTime: expected a time above 0'],
    [{ limits: { wallTime: '3 days' } }, "got '3 days'"],
    [{ limits: { depth: 513 } }, 'options.limits.depth: expected an integer from 2 to 512, got 513'],
    [{ preload: 'json' }, "options.preload: expected an array, each item a Python module name, got 'json'"],
    [{ preload: ['json', 'a b'] }, "options.preload[1]: expected a Python module name, got 'a b'"],
    [{ inputs: { 'a-b': 1 } }, 'options.inputs.a-b: expected a Python identifier'],
    [{ inputs: { class: 1 } }, 'options.inputs.class: expected a Python identifier'],
    [{ functions: { f: 1 } }, 'options.functions.f: expected a function, got 1'],
    [
      { functions: { __f: () => {} } },
      'options.functions.__f: expected a Python identifier that does not start with __',
    ],
    [{ signal: {} }, 'options.signal: expected an AbortSignal, got {}'],
  ])('%o is refused', async (options, message) => {
    const error = await rejection(fakeSupervisor().supervisor.spawn('test', options as never))
    expect(OptionError.isInstance(error)).toBe(true)
    expect(error.code).toBe('ERR_PYISOLATE_OPTION')
    expect(error.message).toContain(message)
  })

  it.each([undefined, null, '', 'a\nb', 'x'.repeat(101), 'lone \ud800', 5])('%o is no name', async (name) => {
    const error = await rejection(fakeSupervisor().supervisor.spawn(name as never))
    expect(error.message).toMatch(/^name: expected a string of 1 to 100 characters/)
  })

  it('reach the engine settled', async () => {
    const requests: unknown[] = []
    const { supervisor } = fakeSupervisor(() => null, {
      engine: {
        onSpawn: (request) =>
          requests.push({
            ...request,
            init: request.decode(request.init),
            cellInit: request.decode(request.cellInit!()),
          }),
      },
      preload: ['json', 're'],
      limits: { memory: '64 MiB', cpuTime: '1.5s' },
      readPaths: ['/data'],
    })
    await supervisor.spawn('one', {
      cell: 'group',
      preload: ['re', 'math'],
      limits: { threads: 4 },
      inputs: { x: [1], y: null },
      functions: { f: () => 1 },
    })
    const limits = {
      memory: 2 ** 26,
      cpuSeconds: 1.5,
      threads: 4,
      openFiles: 64,
      fileSize: 2 ** 26,
      frame: 2 ** 26,
      depth: 64,
      items: 1e6,
    }
    expect(requests).toEqual([
      expect.objectContaining({
        name: 'one',
        isolation: 'interpreter',
        cell: 'group',
        preload: ['json', 're', 'math'],
        readPaths: ['/data'],
        ringBytes: 65_536,
        maxFrameBytes: 2 ** 26 + 4096,
        limits,
        init: { name: 'one', isolation: 'interpreter', limits, inputs: { x: [1], y: null }, functions: ['f'] },
        cellInit: {
          name: 'group',
          isolation: 'interpreter',
          limits: { ...limits, memory: 2 ** 32, threads: 1024, openFiles: 4096, cpuSeconds: 0 },
          inputs: {},
          functions: [],
        },
        warm: 1,
        initIsSure: false,
      }),
    ])
  })
})

describe('options of createSupervisor', () => {
  it.each<[unknown, string]>([
    [{ pol: {} }, 'options.pol: unknown option; did you mean pool?'],
    [{ pool: { size: -1 } }, 'options.pool.size: expected an integer from 0 to 1024, got -1'],
    [{ pool: { sizes: 1 } }, 'options.pool.sizes: unknown option; did you mean size?'],
    [{ interpreters: { warm: 'two' } }, 'options.interpreters.warm: expected an integer'],
    [{ readPaths: ['data'] }, "options.readPaths[0]: expected an absolute path, got 'data'"],
    [{ ringBytes: 5000 }, 'options.ringBytes: expected a power of two from 4096, got 5000'],
    [{ engine: {} }, 'options.engine: expected an Engine, got {}'],
    [{ limits: { items: 0 } }, 'options.limits.items: expected an integer from 16 to 2147483648, got 0'],
  ])('%o is refused', (options, message) => {
    expect(() => createSupervisor(options as never)).toThrow(message)
  })
})
