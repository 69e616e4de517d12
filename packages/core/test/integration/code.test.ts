import { describe, expect, it } from 'vitest'
import { GuestError } from '../../src/index.js'
import { everywhere, rejection, sandbox } from './support.js'

describe.each(everywhere)('code in %s isolation', (isolation) => {
  it('says hello', async () => {
    const demo = await sandbox({ isolation })
    await demo.exec('from math import sqrt\npost(sqrt(2))')
    expect(await demo.recv()).toBe(Math.SQRT2)
  })

  it('keeps its namespace from call to call', async () => {
    const demo = await sandbox({ isolation, inputs: { start: 40, names: ['a', 'b'] } })
    await demo.exec('def add(n, *, times=1):\n  global start\n  start += n * times\n  return start')
    expect(await demo.call('add', [1])).toBe(41)
    expect(await demo.call('add', [2], { times: 5 })).toBe(51)
    expect(await demo.eval('(start, names)')).toEqual([51, ['a', 'b']])
    await demo.exec('import json')
    expect(await demo.call('json.dumps', [{ a: [1, null] }])).toBe('{"a": [1, null]}')
  })

  it('has post, recv and host, and a module with the same names', async () => {
    const demo = await sandbox({ isolation, functions: { double: (n: number) => 2 * n } })
    await demo.send('in')
    await demo.exec('import pyisolate\npyisolate.post([pyisolate.recv(), pyisolate.host.double(4)])')
    expect(await demo.recv()).toEqual(['in', 8])
    expect(await demo.eval('pyisolate.post is post and pyisolate.recv is recv')).toBe(true)
    expect(await demo.eval('__name__')).toBe('__main__')
  })

  it('reports an exception with its frames and source', async () => {
    const demo = await sandbox({ isolation })
    const code = 'def divide(a, b):\n    return a / b\n\ndef main():\n    divide(1, 0)\nmain()'
    const error = await rejection(demo.exec(code, { filename: 'demo.py' }))
    expect(GuestError.isInstance(error)).toBe(true)
    expect(error).toMatchObject({
      type: 'ZeroDivisionError',
      module: 'builtins',
      guestMessage: 'division by zero',
      message: 'ZeroDivisionError: division by zero (demo.py, line 2)',
      frames: [
        { file: 'demo.py', line: 6, function: '<module>', source: 'main()' },
        { file: 'demo.py', line: 5, function: 'main', source: 'divide(1, 0)' },
        { file: 'demo.py', line: 2, function: 'divide', source: 'return a / b' },
      ],
    })
    expect(error.traceback).toMatch(
      /^Traceback \(most recent call last\):\n {2}File "demo.py", line 6, in <module>\n {4}main\(\)/,
    )
    expect(error.traceback).toContain('ZeroDivisionError: division by zero')
    // A function that outlives its exec still has its source.
    expect(await rejection(demo.call('divide', [1, 0]))).toMatchObject({
      frames: [{ line: 2, source: 'return a / b' }],
    })
  })

  it('reports syntax errors, classes of the guest itself, and causes', async () => {
    const demo = await sandbox({ isolation })
    expect(await rejection(demo.exec('x = (\n'))).toMatchObject({
      type: 'SyntaxError',
      guestMessage: expect.stringContaining('never closed'),
    })
    expect(await rejection(demo.eval('1 +'))).toMatchObject({ type: 'SyntaxError' })
    expect(await rejection(demo.exec('class Mine(Exception): pass\nraise Mine("x", 1)'))).toMatchObject({
      type: 'Mine',
      module: '__main__',
      guestMessage: "('x', 1)",
    })
    const chained = await rejection(demo.exec('try:\n  1 / 0\nexcept Exception as e:\n  raise KeyError("k") from e'))
    expect(chained).toMatchObject({ type: 'KeyError' })
    expect(chained.traceback).toContain('The above exception was the direct cause')
    expect(
      await rejection(demo.exec('class Bad(Exception):\n  def __str__(self): raise RuntimeError()\nraise Bad')),
    ).toMatchObject({ type: 'Bad' })
    expect(await rejection(demo.exec('def f(): f()\nf()'))).toMatchObject({ type: 'RecursionError' })
    expect(await rejection(demo.call('nothing'))).toMatchObject({ type: 'NameError' })
    expect(await demo.eval('1')).toBe(1)
  })

  it('ends by SystemExit with its code', async () => {
    for (const [code, exit] of [
      ['raise SystemExit(3)', 3],
      ['import sys; sys.exit()', 0],
      ['raise SystemExit("words")', 1],
    ] as const) {
      const demo = await sandbox({ isolation })
      expect(await rejection(demo.exec(code))).toMatchObject({
        code: 'ERR_PYISOLATE_SANDBOX_CLOSED',
        outcome: { kind: 'exit', code: exit },
      })
    }
  })

  it('prints', async () => {
    const demo = await sandbox({ isolation })
    const out: string[] = []
    demo.stdout.on('data', (text) => out.push(text))
    await demo.exec(
      'import sys\nprint("grüße", end="")\nsys.stdout.flush()\nprint("to stderr", file=sys.stderr)\nprint(" 水")',
    )
    await demo.close()
    expect(out.join('')).toBe('grüße 水\n')
    expect((await demo.stderr.toArray()).join('')).toBe('to stderr\n')
  })

  it('shows its class of confinement', async () => {
    const demo = await sandbox({ isolation })
    expect(demo.pid).toBeGreaterThan(0)
    expect(demo.enforcement.length).toBeGreaterThan(0)
    for (const { essential, state } of demo.enforcement) if (essential) expect(state).toBe('active')
    expect(demo.stats().rssKiB).toBeGreaterThan(0)
  })
})
