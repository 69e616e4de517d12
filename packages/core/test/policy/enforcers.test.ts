// What an enforcer that is given to a supervisor is asked for, and when.
import { closeSync, openSync, readFileSync } from 'node:fs'
import { bpfLsm, probe } from '@pyisolate/bpf'
import type {
  Attachment,
  Cell,
  Enforcer,
  Engine,
  KernelPolicy,
  SandboxTarget,
  SocketMark,
  Unenforced,
} from '@pyisolate/interface'
import { createNativeEngine } from '@pyisolate/native'
import { numberedRules } from '@pyisolate/policy'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type CompiledPolicy,
  createSupervisor,
  type Denial,
  type Supervisor,
  UnenforceableError,
} from '../../src/index.js'
import { policy } from './support.js'

/** Notes what it is asked for; what it keeps is for the tests of the real ones. */
class Recorder implements Enforcer {
  readonly name = 'recorder'
  readonly keeps: Enforcer['keeps'] = new Set(['fs.read', 'fs.exec', 'limits.bandwidthIn'] as const)
  readonly log: string[] = []
  readonly policies: KernelPolicy[] = []
  readonly targets: SandboxTarget[] = []
  unenforced: readonly Unenforced[] = []
  refuse: Error | undefined
  refuseToAttach: Error | undefined
  socketMark: SocketMark | undefined

  prepare(given: KernelPolicy) {
    if (this.refuse !== undefined) throw this.refuse
    this.policies.push(given)
    const number = this.policies.length
    this.log.push(`prepare ${number}`)
    return {
      unenforced: this.unenforced,
      number,
      attach: (target: SandboxTarget) => this.#attach(target, number),
      [Symbol.dispose]: () => void this.log.push(`dispose ${number}`),
    }
  }

  #attach(target: SandboxTarget, number: number): Attachment {
    if (this.refuseToAttach !== undefined) throw this.refuseToAttach
    this.targets.push(target)
    this.log.push(`attach ${number}`)
    let generation = 1
    return {
      ...(this.socketMark !== undefined && { socketMark: this.socketMark }),
      update: (next) => {
        this.log.push(`update ${(next as unknown as { number: number }).number}`)
        return ++generation
      },
      counters: () => ({}),
      [Symbol.dispose]: () => void this.log.push('detach'),
    }
  }

  async close() {}
  async [Symbol.asyncDispose]() {}
}

function supervised(): { supervisor: Supervisor; enforcer: Recorder } {
  const enforcer = new Recorder()
  const supervisor = createSupervisor({ enforcers: [enforcer], pool: { size: 1 } })
  onTestFinished(() => supervisor.close())
  return { supervisor, enforcer }
}

const ruleOf = (given: CompiledPolicy, section: string) =>
  numberedRules(given).find((rule) => rule.section === section)!.number

describe('an enforcer', () => {
  it('is attached to the thread that will run the guest, before its first line, and let go of at the end', async () => {
    const { supervisor, enforcer } = supervised()
    const sandbox = await supervisor.spawn('a', { policy: policy('fs: { read: [/etc/hostname] }') })
    expect(enforcer.log).toEqual(['prepare 1', 'attach 1'])
    const { thread, name } = enforcer.targets[0]!
    expect(name).toBe('a')
    expect(readFileSync(`/proc/${thread}/comm`, 'utf8')).toBe('pyisolate-cell\n')
    expect(enforcer.policies[0]!.files.map(({ path }) => path)).toContain('/etc/hostname')
    await sandbox.close()
    await expect.poll(() => enforcer.log).toEqual(['prepare 1', 'attach 1', 'detach', 'dispose 1'])
  })

  it('is attached to the thread of its own that a sandbox of a shared cell has', async () => {
    const { supervisor, enforcer } = supervised()
    const options = { isolation: 'interpreter', cell: 'c', policy: policy('fs: {}') } as const
    await using a = await supervisor.spawn('a', options)
    await using b = await supervisor.spawn('b', options)
    const [first, second] = enforcer.targets.map(({ thread }) => thread)
    expect(first).not.toBe(second)
    for (const [sandbox, thread] of [
      [a, first],
      [b, second],
    ] as const) {
      const inner = await sandbox.eval("__import__('threading').get_native_id()")
      expect(readFileSync(`/proc/${thread}/status`, 'latin1')).toMatch(new RegExp(`^NSpid:.*\\t${inner}$`, 'm'))
    }
  })

  it('is not asked about sandboxes of the built-in policy', async () => {
    const { supervisor, enforcer } = supervised()
    await using _ = await supervisor.spawn('a')
    expect(enforcer.log).toEqual([])
  })

  it('is given a policy once, whoever has it', async () => {
    const { supervisor, enforcer } = supervised()
    const same = policy('fs: {}')
    await using _a = await supervisor.spawn('a', { policy: same })
    await using _b = await supervisor.spawn('b', { policy: same })
    expect(enforcer.policies[0]).toBe(enforcer.policies[1])
  })

  it('has prepared a new policy before it decides', async () => {
    const { supervisor, enforcer } = supervised()
    await using sandbox = await supervisor.spawn('a', { policy: policy('fs: {}') })
    await sandbox.reload(policy('fs: { read: [/etc/hostname] }'))
    expect(enforcer.log).toEqual(['prepare 1', 'attach 1', 'prepare 2', 'update 2', 'dispose 1'])
    expect(sandbox.enforcement).toContainEqual(
      expect.objectContaining({
        mechanism: 'recorder',
        state: 'active',
        detail: expect.stringMatching(/^fs\.read: \/etc\/hostname/),
      }),
    )
    enforcer.refuse = new Error('the verifier says no')
    await expect(sandbox.reload(policy('fs: {}'))).rejects.toThrow('the verifier says no')
    expect(await sandbox.eval("open('/etc/hostname').read() != ''")).toBe(true)
  })

  it('that refuses a policy refuses the sandbox, of which nothing is left', async () => {
    const { supervisor, enforcer } = supervised()
    enforcer.refuse = new Error('the verifier says no')
    await expect(supervisor.spawn('a', { policy: policy('fs: {}') })).rejects.toThrow('the verifier says no')
    await expect.poll(() => supervisor.stats().sandboxes).toBe(0)
    enforcer.refuse = undefined
    await using _ = await supervisor.spawn('a', { policy: policy('fs: {}') })
  })

  it('that prepares a policy and then can’t attach lets go of it', async () => {
    const { supervisor, enforcer } = supervised()
    enforcer.refuseToAttach = new Error('no such thread')
    await expect(supervisor.spawn('a', { policy: policy('fs: {}') })).rejects.toThrow('no such thread')
    expect(enforcer.log).toEqual(['prepare 1', 'dispose 1'])
  })

  it('makes rules enforceable that the engine alone keeps for nobody, unless it can’t keep them either', async () => {
    const { supervisor, enforcer } = supervised()
    const strict = policy('fs: { read: [/usr/**], exec: [/usr/lib/**] }')
    await using _ = await supervisor.spawn('a', { policy: strict })
    enforcer.unenforced = [{ rule: ruleOf(strict, 'fs.exec'), deny: false, why: 'absent', what: '/usr/lib' }]
    const refused = supervisor.spawn('b', { policy: policy('fs: { read: [/usr/**], exec: [/usr/lib/**] }') })
    await expect(refused).rejects.toBeInstanceOf(UnenforceableError)
    expect(enforcer.log.slice(-2)).toEqual(['prepare 2', 'dispose 2'])
    await expect.poll(() => supervisor.stats().sandboxes).toBe(1)
  })

  it('keeps a limit that it says it keeps, and no other', async () => {
    const { supervisor, enforcer } = supervised()
    await using sandbox = await supervisor.spawn('a', { policy: policy('limits: { bandwidthIn: 2MB/s }') })
    expect(enforcer.policies[0]!.bandwidth).toEqual({ in: 2_000_000, out: undefined })
    const entry = {
      mechanism: 'recorder',
      state: 'active',
      essential: true,
      detail: 'limits.bandwidthIn: 2000000 (test.yaml:4)',
    }
    expect(sandbox.enforcement).toContainEqual(entry)
    const refused = supervisor.spawn('b', { policy: policy('limits: { bandwidthIn: 2MB/s, bandwidthOut: 2MB/s }') })
    await expect(refused).rejects.toMatchObject({ rules: [{ section: 'limits.bandwidthOut' }] })
  })

  it('has its mark put into sockets, or there are none', async () => {
    const { supervisor, enforcer } = supervised()
    const given = policy(`net: { connect: ['udp://127.0.0.1:*'] }`)
    const make = "__import__('socket').socket(2, 2).fileno() >= 0"
    await using unmarked = await supervisor.spawn('a', { policy: given })
    expect(await unmarked.eval(make)).toBe(true)
    const file = openSync('/dev/null', 'r')
    onTestFinished(() => closeSync(file))
    enforcer.socketMark = { map: file, value: new Uint8Array(16) }
    await expect(supervisor.spawn('b', { policy: given })).rejects.toThrow(
      /not a socket mark: its map is no descriptor/,
    )
    await expect.poll(() => supervisor.stats().sandboxes).toBe(1)
  })

  it('is waited for with its mark: a guest that is let go before has no socket', async () => {
    await using engine = createNativeEngine()
    const forgetful: Engine = {
      name: engine.name,
      stats: () => engine.stats(),
      close: () => engine.close(),
      [Symbol.asyncDispose]: () => engine.close(),
      spawn: async (request) => {
        const cell = await engine.spawn(request)
        const get = (_: Cell, key: keyof Cell) => {
          const value = Reflect.get(cell, key, cell)
          if (key === 'markSockets') return () => {}
          return typeof value === 'function' ? value.bind(cell) : value
        }
        return new Proxy(cell, { get: get as ProxyHandler<Cell>['get'] & {} })
      },
    }
    await using supervisor = createSupervisor({ engine: forgetful, enforcers: [new Recorder()] })
    const given = policy(`net: { connect: ['udp://127.0.0.1:*'] }`)
    await using sandbox = await supervisor.spawn('a', { policy: given })
    await expect(sandbox.eval("__import__('socket').socket(2, 2)")).rejects.toThrow(/PermissionError/)
    expect(await sandbox.eval("__import__('socket').socketpair() is not None")).toBe(true)
  })

  it('tells denials, which get their rule and line', async () => {
    const { supervisor, enforcer } = supervised()
    const denials: Denial[] = []
    const given = policy('fs: { deny: [/etc/shadow] }')
    await using _ = await supervisor.spawn('a', { policy: given, onDenied: (denial) => denials.push(denial) })
    const rule = ruleOf(given, 'fs.deny')
    const event = { object: '/etc/shadow', rule, generation: 1, error: 'EACCES', lost: 2, kill: false }
    enforcer.targets[0]!.onEvent({ operation: 'mmap', ...event })
    enforcer.targets[0]!.onEvent({ operation: 'ptrace', ...event, rule: undefined, object: '' })
    expect(denials).toMatchObject([
      { operation: 'exec', object: '/etc/shadow', errno: 'EACCES', lost: 2, rule: { section: 'fs.deny' } },
      { operation: 'call', rule: undefined },
    ])
  })

  it('that tells of a broken contract that kills ends the sandbox', async () => {
    const { supervisor, enforcer } = supervised()
    const given = policy('contracts: [{ name: few, on: open, assert: opens < 100, action: kill }]')
    const sandbox = await supervisor.spawn('a', { policy: given })
    const event = { object: '', rule: ruleOf(given, 'contracts'), generation: 1, error: 'EPERM', lost: 0, kill: true }
    enforcer.targets[0]!.onEvent({ operation: 'open', ...event })
    expect(await sandbox.closed).toMatchObject({ kind: 'policy' })
  })

  it('is refused with a reason where the kernel does not let it be one', async () => {
    await using lsm = bpfLsm()
    const supervisor = createSupervisor({ enforcers: [lsm], pool: { size: 0 } })
    onTestFinished(() => supervisor.close())
    const [support] = probe()
    const spawning = supervisor.spawn('a', { policy: policy('fs: {}') })
    if (support!.supported) await (await spawning).close()
    else
      await expect(spawning).rejects.toMatchObject({
        code: 'ERR_PYISOLATE_UNSUPPORTED',
        feature: 'bpf-lsm',
        minimumKernel: support!.minimumKernel,
      })
    expect(supervisor.sandboxes()).toEqual([])
  })

  it('must be one', () => {
    expect(() => createSupervisor({ enforcers: [{ name: 'x', prepare: () => {} } as never] })).toThrow(
      /enforcers\[0\].*an Enforcer/,
    )
  })
})
