import { until } from '@pyisolate/test-kit'
import { describe, expect, it } from 'vitest'
import { everywhere, rejection, sandbox } from './support.js'

describe.each(everywhere)('messages in %s isolation', (isolation) => {
  it('go both ways while code runs', async () => {
    const demo = await sandbox({ isolation })
    const running = demo.exec('while (m := recv()) is not None:\n  post(m * 2)')
    for (let i = 1; i <= 100; i++) {
      await demo.send(i)
      expect(await demo.recv()).toBe(2 * i)
    }
    await demo.send(null)
    await running
  })

  it('wait for a guest that is not there yet', async () => {
    const demo = await sandbox({ isolation })
    for (let i = 0; i < 1000; i++) void demo.send(i)
    expect(await demo.eval('sum(recv() for _ in range(1000))')).toBe(499_500)
  })

  it('recv in the guest has a timeout', async () => {
    const demo = await sandbox({ isolation })
    expect(await rejection(demo.exec('recv(timeout=0.05)'))).toMatchObject({ type: 'TimeoutError' })
    await demo.send('there')
    expect(await demo.eval('recv(timeout=5)')).toBe('there')
  })

  it('can be iterated', async () => {
    const demo = await sandbox({ isolation })
    const got: unknown[] = []
    demo.exec('for i in range(5): post(i)\nraise SystemExit').catch(() => {})
    for await (const message of demo.messages()) got.push(message)
    expect(got).toEqual([0, 1, 2, 3, 4])
  })

  it('nobody receives hold the guest up', async () => {
    const demo = await sandbox({ isolation, limits: { unread: '1MiB' } })
    const posting = demo.exec('for i in range(3000): post(b"x" * 1000)')
    await until(() => demo.stats().unreadBytes >= 2 ** 20)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(demo.stats().posted).toBeLessThan(2000)
    for (let i = 0; i < 3000; i++) await demo.recv()
    await posting
  })

  it('that the guest does not take wait on this side, and hold up nothing else', async () => {
    let answer!: (value: string) => void
    const demo = await sandbox({
      isolation,
      limits: { memory: '32MiB' },
      functions: { wait: () => new Promise<string>((resolve) => (answer = resolve)), twice: (n: number) => 2 * n },
    })
    const waiting = demo.eval('host.wait()')
    await until(() => answer !== undefined)
    const before = demo.stats().privateKiB
    let settled = 0
    const sending = Array.from({ length: 2000 }, (_, i) =>
      demo.send([i, new Uint8Array(32_768)]).then(() => {
        settled++
      }),
    )
    answer('here')
    expect(await waiting).toBe('here')
    expect(await demo.eval('host.twice(4)')).toBe(8)
    // Of 64 MiB: what a guest may have untaken, and what a queue of this side's takes without a word.
    expect(settled).toBeLessThan(20)
    expect(demo.stats().privateKiB - before).toBeLessThan(8 << 10)
    expect(await demo.eval('[recv()[0] for _ in range(1000)] == list(range(1000))')).toBe(true)
    expect(settled).toBeLessThan(1020)
    expect(await demo.eval('[recv()[0] for _ in range(1000)] == list(range(1000, 2000))')).toBe(true)
    await Promise.all(sending)
  })

  it('flow while guest and host call each other, from both at once', async () => {
    const sending: Promise<void>[] = []
    const demo = await sandbox({
      isolation,
      functions: {
        burst: (from: number, count: number) => {
          for (let i = 0; i < count; i++) sending.push(demo.send([from + i, 'x'.repeat(5000)]))
          return from + count
        },
      },
    })
    await demo.exec(`
import threading
got = []
def take():
    while (m := recv()) is not None: got.append(m[0]); post(m[0])
t = threading.Thread(target=take)
t.start()
`)
    const echoed = (async () => {
      for (let i = 0; i < 2000; i++) expect(await demo.recv()).toBe(i)
    })()
    await demo.exec('n = 0\nwhile n < 2000: n = host.burst(n, 100)')
    await Promise.all(sending)
    await echoed
    await demo.send(null)
    await demo.exec('t.join()')
    expect(await demo.eval('len(got)')).toBe(2000)
  })

  it('that a host function waits for, while its guest waits for it, end with the call', async () => {
    const demo = await sandbox({
      isolation,
      limits: { callTime: 200 },
      functions: {
        flood: async () => {
          for (let i = 0; i < 20; i++) await demo.send(new Uint8Array(65_536))
        },
      },
    })
    expect(await rejection(demo.exec('host.flood()'))).toMatchObject({
      code: 'ERR_PYISOLATE_TIMEOUT',
      outcome: undefined,
    })
    expect(await demo.eval('sum(len(recv()) for _ in range(20))')).toBe(20 * 65_536)
  })

  it('and its deadline still comes', async () => {
    const demo = await sandbox({ isolation, limits: { unread: '1MiB', callTime: 300 } })
    const error = await rejection(demo.exec('while True: post(b"x" * 1000)'))
    expect(error).toMatchObject({ code: 'ERR_PYISOLATE_TIMEOUT', outcome: undefined })
    expect(error.message).toContain('limits.unread')
    // Until half of it is received, not even the answer to a call is read.
    while (demo.stats().unreadBytes > 0) await demo.recv()
    expect(await demo.eval('1')).toBe(1)
  })

  it('go to host functions and back', async () => {
    const demo = await sandbox({
      isolation,
      functions: {
        add: (a: number, b: number) => a + b,
        later: async (ms: number) => new Promise((resolve) => setTimeout(() => resolve('done'), ms)),
        keywords: (...args: unknown[]) => args as never,
        fail: () => {
          throw new RangeError('too far')
        },
        bad: () => (() => 1) as never,
      },
    })
    expect(await demo.eval('host.add(1, 2)')).toBe(3)
    expect(await demo.eval('host.later(20)')).toBe('done')
    expect(await demo.eval('host.keywords(1, b=2)')).toEqual([1, { b: 2 }])
    await demo.exec('try:\n  host.fail()\nexcept Exception as e:\n  seen = str(e)')
    expect(await demo.eval('seen')).toContain('too far')
    expect(await rejection(demo.eval('host.bad()'))).toMatchObject({
      code: 'ERR_PYISOLATE_GUEST',
      type: 'TypeError',
      guestMessage: expect.stringContaining('host.bad() returned what cannot cross: value at $: a function'),
    })
    expect(await rejection(demo.eval('host.nothing()'))).toMatchObject({ type: 'AttributeError' })
    expect(await rejection(demo.eval('host.add(object())'))).toMatchObject({ type: 'TypeError' })
    await demo.exec(
      'import threading\nout = []\nts = [threading.Thread(target=lambda i=i: out.append(host.add(i, i))) for i in range(8)]\n[t.start() for t in ts]\n[t.join() for t in ts]',
    )
    expect(await demo.eval('sorted(out)')).toEqual([0, 2, 4, 6, 8, 10, 12, 14])
  })

  it('that come too late for an interrupted host call take no memory', async () => {
    const late: (() => void)[] = []
    const demo = await sandbox({
      isolation,
      limits: { memory: '32MiB' },
      functions: { slow: () => new Promise((resolve) => late.push(() => resolve(new Uint8Array(4_000_000)))) },
    })
    for (let i = 0; i < 20; i++) {
      const call = rejection(demo.eval('host.slow()'))
      await until(() => late.length === 1)
      demo.interrupt()
      expect(await call).toMatchObject({ type: 'KeyboardInterrupt' })
      late.pop()!()
      await demo.send(i) // behind the reply
      expect(await demo.eval('recv()')).toBe(i)
    }
    const next = demo.eval('len(host.slow())')
    await until(() => late.length === 1)
    late.pop()!()
    expect(await next).toBe(4_000_000)
  })

  it('get their errors as a Python programmer expects them', async () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
    const named = (name: string, message: string) => Object.assign(new Error(message), { name, code: 'E_MINE' })
    const demo = await sandbox({
      isolation,
      functions: {
        symbol: () => Symbol('s') as never,
        deep: () => nested(100) as never,
        getter: () =>
          ({
            get x() {
              throw new Error('caught')
            },
          }) as never,
        fails: (name: string, message: string) => Promise.reject(named(name, message)),
        late: () => {
          throw new DOMException('too late', 'TimeoutError')
        },
        inner: () => demo.send((() => {}) as never),
      },
    })
    await demo.exec(`
import pyisolate
def failing(call, *args):
    try:
        call(*args)
    except Exception as e:
        return e
def plain(e): return [type(e) is TypeError, str(e).startswith("host.") and "cannot cross" in str(e)]
def kinds(e, *types): return [isinstance(e, t) for t in types] + [type(e).__name__, str(e), e.type, e.code]
`)
    for (const name of ['symbol', 'deep', 'getter']) {
      expect(await demo.eval(`plain(failing(host.${name}))`)).toEqual([true, true])
    }
    // A function's own failure to encode something else is its error like any other.
    expect(await demo.eval('kinds(failing(host.inner), pyisolate.HostError, TypeError)[:2]')).toEqual([true, false])
    for (const name of ['TypeError', 'ValueError', 'KeyError', 'TimeoutError', 'PermissionError', 'OSError']) {
      const caught = await demo.eval(
        `kinds(failing(host.fails, ${JSON.stringify(name)}, "why"), pyisolate.HostError, ${name})`,
      )
      expect(caught).toEqual([true, true, 'HostError', 'why', name, 'E_MINE'])
    }
    expect(await demo.eval('kinds(failing(host.late), TimeoutError)')).toEqual([
      true,
      'HostError',
      'too late',
      'TimeoutError',
      null,
    ])
    for (const name of ['StopIteration', 'SystemExit', 'KeyboardInterrupt', 'RangeError', '__import__', 'print']) {
      const caught = await demo.eval(`kinds(failing(host.fails, ${JSON.stringify(name)}, "why"), pyisolate.HostError)`)
      expect(caught).toEqual([true, 'HostError', 'why', name, 'E_MINE'])
    }
    expect(await rejection(demo.exec('host.fails("KeyError", "why")'))).toMatchObject({
      type: 'HostError',
      module: 'pyisolate',
      guestMessage: 'why',
    })
  })
})
