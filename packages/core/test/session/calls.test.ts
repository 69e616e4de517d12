import { FakeException, type FakeScript } from '@pyisolate/test-kit'
import { describe, expect, it } from 'vitest'
import { GuestError, OptionError, SandboxClosedError, TimeoutError, ValueEncodingError } from '../../src/index.js'
import { fakeSandbox, rejection } from '../support.js'

const script: FakeScript = async ({ kind, code, name, args, kwargs }, guest) => {
  if (kind === 'call') return { name, args, kwargs }
  const [verb, argument] = code.split(' ')
  switch (verb) {
    case 'sleep':
      return guest.sleep(Number(argument))
    case 'raise':
      throw new FakeException('ValueError', 'no good')
    case 'stubborn':
      guest.ignoreInterrupts()
      return guest.sleep(1e6)
    case 'exit':
      return guest.exit(Number(argument))
    case 'post':
      return guest.post(argument)
    default:
      return code
  }
}

describe('exec, eval and call', () => {
  it('give their results', async () => {
    const sandbox = await fakeSandbox(script)
    expect(await sandbox.exec('x')).toBe(undefined)
    expect(await sandbox.eval('1 + 1')).toBe('1 + 1')
    expect(await sandbox.call('m.f', [1, null], { a: true })).toEqual({
      name: 'm.f',
      args: [1, null],
      kwargs: { a: true },
    })
    expect(await sandbox.call('f')).toEqual({ name: 'f', args: [], kwargs: {} })
    expect(sandbox.stats()).toMatchObject({ completedCalls: 4, queuedCalls: 0 })
  })

  it('reject misuse before anything is sent', async () => {
    const sandbox = await fakeSandbox(script)
    for (const misuse of [
      () => sandbox.exec(1 as never),
      () => sandbox.eval(undefined as never),
      () => sandbox.call(''),
      () => sandbox.call('f', {} as never),
      () => sandbox.call('f', [], new Map() as never),
      () => sandbox.exec('x', { timout: 1 } as never),
      () => sandbox.exec('x', { timeout: -1 }),
    ]) {
      expect(OptionError.isInstance(await rejection(misuse()))).toBe(true)
    }
    const error = await rejection(sandbox.call('f', [{ a: [() => 1] }] as never))
    expect(ValueEncodingError.isInstance(error)).toBe(true)
    expect(error.message).toBe('value at $.args[0].a[0]: a function cannot cross')
    expect(sandbox.stats().completedCalls).toBe(0)
  })

  it('turn what the guest raises into GuestError', async () => {
    const sandbox = await fakeSandbox(script)
    const error = await rejection(sandbox.exec('raise'))
    expect(GuestError.isInstance(error)).toBe(true)
    expect(error).toMatchObject({
      code: 'ERR_PYISOLATE_GUEST',
      message: 'ValueError: no good (<exec>, line 1)',
      type: 'ValueError',
      module: 'builtins',
      guestMessage: 'no good',
      traceback: expect.stringContaining('Traceback'),
      frames: [{ file: '<exec>', line: 1, function: '<module>', source: 'raise' }],
    })
  })

  it('queue in order', async () => {
    const sandbox = await fakeSandbox(script)
    const done: string[] = []
    const all = ['sleep 30', 'a', 'sleep 5', 'b'].map((code) => sandbox.eval(code).then(() => done.push(code)))
    expect(sandbox.state).toBe('busy')
    expect(sandbox.stats().queuedCalls).toBe(3)
    await Promise.all(all)
    expect(done).toEqual(['sleep 30', 'a', 'sleep 5', 'b'])
    expect(sandbox.state).toBe('running')
  })
})

describe('time and aborts', () => {
  it('interrupts a call that takes too long, and the sandbox lives', async () => {
    const sandbox = await fakeSandbox(script, { limits: { callTime: 50 } })
    const error = await rejection(sandbox.exec('sleep 10000'))
    expect(TimeoutError.isInstance(error)).toBe(true)
    expect(error).toMatchObject({ limit: 'call', ms: 50, outcome: undefined })
    expect(await sandbox.eval('still here')).toBe('still here')
  })

  it('counts a call from its own turn on', async () => {
    const sandbox = await fakeSandbox(script)
    await Promise.all([sandbox.exec('sleep 60'), sandbox.exec('sleep 60', { timeout: 100 })])
  })

  it('ends a sandbox that cannot be interrupted', async () => {
    const sandbox = await fakeSandbox(script)
    const queued = rejection(sandbox.exec('sleep 1', {}))
    const error = rejection(sandbox.exec('stubborn', { timeout: '50ms' }))
    const behind = rejection(sandbox.exec('x'))
    await expect(queued).rejects.toThrow('did not reject')
    expect(await error).toMatchObject({
      code: 'ERR_PYISOLATE_TIMEOUT',
      limit: 'call',
      ms: 50,
      outcome: { kind: 'timeout', limit: 'call', ms: 50 },
    })
    expect(SandboxClosedError.isInstance(await behind)).toBe(true)
    expect(await sandbox.closed).toMatchObject({ kind: 'timeout', limit: 'call', ms: 50, message: expect.any(String) })
    expect(await rejection(sandbox.eval('x'))).toMatchObject({
      code: 'ERR_PYISOLATE_SANDBOX_CLOSED',
      outcome: { kind: 'timeout' },
    })
    expect(sandbox.state).toBe('closed')
  })

  it('never runs a call that was aborted in the queue', async () => {
    const sandbox = await fakeSandbox(script)
    const controller = new AbortController()
    const first = sandbox.exec('sleep 50')
    const second = rejection(sandbox.exec('post ran', { signal: controller.signal }))
    const third = sandbox.exec('post third')
    const reason = new Error('changed my mind')
    controller.abort(reason)
    expect(await second).toBe(reason)
    await Promise.all([first, third])
    expect(await sandbox.recv()).toBe('third')
    expect(await rejection(sandbox.exec('post ran', { signal: controller.signal }))).toBe(reason)
    expect(sandbox.stats().posted).toBe(1)
  })

  it('interrupts a running call that is aborted', async () => {
    const sandbox = await fakeSandbox(script)
    const error = await rejection(sandbox.exec('sleep 10000', { signal: AbortSignal.timeout(30) }))
    expect(error.name).toBe('TimeoutError')
    expect(await sandbox.eval('alive')).toBe('alive')
  })

  it('ends the sandbox if that does not help', async () => {
    const sandbox = await fakeSandbox(script)
    const controller = new AbortController()
    const error = rejection(sandbox.exec('stubborn', { signal: controller.signal }))
    setTimeout(() => controller.abort(), 20)
    expect((await error).name).toBe('AbortError')
    expect(await sandbox.closed).toMatchObject({ kind: 'aborted' })
  })

  it('interrupt() raises in the running call only', async () => {
    const sandbox = await fakeSandbox(script)
    sandbox.interrupt()
    const error = rejection(sandbox.exec('sleep 10000'))
    setTimeout(() => sandbox.interrupt(), 20)
    expect(await error).toMatchObject({ code: 'ERR_PYISOLATE_GUEST', type: 'KeyboardInterrupt' })
  })

  it('ends at wallTime, whatever runs', async () => {
    const sandbox = await fakeSandbox(script, { limits: { wallTime: 60 } })
    expect(await rejection(sandbox.exec('sleep 10000'))).toMatchObject({
      code: 'ERR_PYISOLATE_TIMEOUT',
      limit: 'wall',
      ms: 60,
    })
    expect(await sandbox.closed).toMatchObject({ kind: 'timeout', limit: 'wall', ms: 60 })
  })

  it('leaves no listener at a signal', async () => {
    const sandbox = await fakeSandbox(script)
    let listeners = 0
    const { signal } = new AbortController()
    const [add, remove] = [signal.addEventListener, signal.removeEventListener]
    signal.addEventListener = (...args: unknown[]) => {
      listeners++
      return add.apply(signal, args as never)
    }
    signal.removeEventListener = (...args: unknown[]) => {
      listeners--
      return remove.apply(signal, args as never)
    }
    await sandbox.exec('x', { signal })
    await rejection(sandbox.exec('raise', { signal }))
    const receiving = sandbox.recv({ signal })
    await sandbox.exec('post 1', { signal })
    await receiving
    expect(listeners).toBe(0)
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    const shared = new AbortController().signal
    await Promise.all(Array.from({ length: 50 }, () => sandbox.exec('x', { signal: shared })))
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
  })
})

describe('the end', () => {
  it('is what SystemExit says', async () => {
    const sandbox = await fakeSandbox(script)
    expect(await rejection(sandbox.exec('exit 3'))).toMatchObject({
      code: 'ERR_PYISOLATE_SANDBOX_CLOSED',
      message: 'sandbox "test" has ended: it exited with code 3',
      outcome: { kind: 'exit', code: 3 },
    })
  })

  it('closes what runs and what waits, once', async () => {
    const sandbox = await fakeSandbox(script)
    const calls = [rejection(sandbox.exec('stubborn')), rejection(sandbox.exec('x')), rejection(sandbox.recv())]
    const closing = sandbox.close()
    expect(sandbox.state).toBe('closing')
    expect(sandbox.close()).toBe(closing)
    calls.push(rejection(sandbox.exec('y')), rejection(sandbox.send(1)))
    expect(await closing).toMatchObject({ kind: 'closed' })
    for (const error of await Promise.all(calls))
      expect(error).toMatchObject({ code: 'ERR_PYISOLATE_SANDBOX_CLOSED', outcome: { kind: 'closed' } })
    expect(sandbox.stats()).toMatchObject({ cpuMs: 0, rssKiB: 0 })
  })

  it('comes with await using', async () => {
    let closed: Promise<unknown>
    {
      await using sandbox = await fakeSandbox(script)
      closed = sandbox.closed
      await sandbox.exec('x')
    }
    expect(await closed).toMatchObject({ kind: 'closed' })
  })
})
