import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { pyisolate, python, signalOn } from './support.js'

const folder = mkdtempSync(join(tmpdir(), 'pyisolate-cli-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('a program', () => {
  it('runs as python runs it', async () => {
    const file = join(folder, 'hello.py')
    writeFileSync(file, 'import sys\nprint(__name__, sys.argv)\nprint("oh", file=sys.stderr)\npost(2 ** 0.5)\n')
    const { code, stdout, stderr } = await pyisolate(['run', file, '--timeout', '10', '--', '--a', 'é 😀'])
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: `__main__ ['${file}', '--a', 'é 😀']\n1.4142135623730951\n`,
      stderr: 'oh\n',
    })
  })

  it('gets its threads waited for and its exit handlers run', async () => {
    const { code, stdout } = await python(`
import atexit, threading, time
atexit.register(print, 'bye')
threading.Thread(target=lambda: (time.sleep(0.3), print('thread'))).start()
print('main')
`)
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'main\nthread\nbye\n' })
  })

  it('shows its traceback with its source, and exits with 1', async () => {
    const { code, stderr } = await python('def f():\n    return 1 / 0\n\nf()\n')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^Traceback \(most recent call last\):\n {2}File "<stdin>", line 4, in <module>\n {4}f\(\)/)
    expect(stderr).toMatch(/ZeroDivisionError: division by zero\n$/)
  })

  it.each([
    ['import sys; sys.exit(7)', 7, ''],
    ['import sys; sys.exit("bye")', 1, 'bye\n'],
    ['raise SystemExit', 0, ''],
    ['import os; os._exit(9)', 9, ''],
  ])('%s', async (program, expected, said) => {
    const { code, stderr } = await python(program)
    expect({ code, stderr }).toEqual({ code: expected, stderr: said })
  })

  it('mirrors a crash', async () => {
    const { code, stderr } = await python('import ctypes; ctypes.string_at(0)')
    expect(code).toBe(139)
    expect(stderr).toContain('SIGSEGV')
  })

  it('tells everything as lines of JSON', async () => {
    const { code, stdout } = await python('print("a"); post({"n": 2 ** 64}); 1 / 0', ['--json'])
    expect(code).toBe(1)
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { stream: 'stdout', text: 'a\n' },
      { post: { n: { $int: '18446744073709551616' } } },
      { error: expect.objectContaining({ type: 'ZeroDivisionError', frames: [expect.objectContaining({ line: 1 })] }) },
      { outcome: expect.objectContaining({ kind: 'exit', code: 1, exitCode: 1 }) },
    ])
  })

  it('runs in a shared cell', async () => {
    expect(await python('print("in a cell")', ['--cell', 'c'])).toMatchObject({ code: 0, stdout: 'in a cell\n' })
  })
})

describe('limits', () => {
  it.each([
    ['a loop', 'while True: pass'],
    ['C code', 'x = 10 ** 10 ** 8'],
    ['a stubborn one', 'while True:\n  try:\n    while True: pass\n  except BaseException: pass'],
  ])('--timeout ends %s: 124', async (_, program) => {
    const { code, stderr } = await python(program, ['--timeout', '300ms'])
    expect({ code, stderr }).toEqual({ code: 124, stderr: 'pyisolate: it ran longer than 300 ms (--timeout)\n' })
  })

  it('--timeout counts the threads it waits for', async () => {
    const program = 'import threading, time; threading.Thread(target=time.sleep, args=(60,)).start()'
    expect((await python(program, ['--timeout', '500ms'])).code).toBe(124)
  })

  it('--memory is a MemoryError in the program', async () => {
    const program = 'try:\n  bytearray(10 ** 9)\nexcept MemoryError:\n  print("caught")\nbytearray(10 ** 9)'
    const { code, stdout, stderr } = await python(program, ['--memory', '64M'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'caught\n' })
    expect(stderr).toMatch(/MemoryError\n$/)
  })

  it('--cpu: 152', async () => {
    expect((await python('while True: pass', ['--cpu', '200ms'])).code).toBe(152)
  })

  it('--output: 153, and not a byte more', async () => {
    const { code, stdout } = await python('print("0123456789")', ['--output', '4'])
    expect({ code, stdout }).toEqual({ code: 153, stdout: '0123' })
  })

  it('127 without an engine', async () => {
    const { code, stderr } = await python('print(1)', [], { env: { PYISOLATE_ENGINE: join(folder, 'none') } })
    expect(code).toBe(127)
    expect(stderr).toContain('there is no engine')
  })
})

describe('signals', () => {
  const loop = 'import time\nprint("go", flush=True)\nwhile True: time.sleep(0.01)'
  const deaf = `import time
print("go", flush=True)
while True:
  try:
    while True: time.sleep(0.01)
  except KeyboardInterrupt: print("go", flush=True)`

  it('SIGINT interrupts the program: 130', async () => {
    const { code, stderr } = await python(loop, [], { onStart: signalOn('go', 'SIGINT') })
    expect(code).toBe(130)
    expect(stderr).toMatch(/^Traceback[\s\S]*KeyboardInterrupt\n$/)
  })

  it('a second one ends it', async () => {
    const { code, stdout } = await python(deaf, [], { onStart: signalOn('go', 'SIGINT', 'SIGINT') })
    expect({ code, stdout }).toEqual({ code: 130, stdout: expect.stringMatching(/^(go\n){2}/) })
  })

  it('SIGTERM ends it: 143', async () => {
    expect((await python(loop, [], { onStart: signalOn('go', 'SIGTERM') })).code).toBe(143)
  })
})

describe('pipes', () => {
  const command = fileURLToPath(new URL('../../bin/pyisolate.js', import.meta.url))
  const start = (program: string) => {
    const child = spawn(process.execPath, [command, 'run', '-'], { stdio: ['pipe', 'pipe', 'pipe'] })
    child.stdin.end(program)
    return child
  }

  it('come byte by byte through a slow reader', async () => {
    const child = start(`
import sys
for i in range(300): sys.stdout.buffer.write(bytes(range(256)) * 100)
`)
    const expected = createHash('sha256')
    for (let i = 0; i < 300; i++) expected.update(Buffer.from(Array.from({ length: 25_600 }, (_, n) => n % 256)))
    const actual = createHash('sha256')
    await new Promise((resolve) => setTimeout(resolve, 700))
    for await (const chunk of child.stdout) actual.update(chunk as Buffer)
    expect(actual.digest('hex')).toBe(expected.digest('hex'))
    expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(0)
  })

  it('that nobody reads any more end the program: 141, without a word', async () => {
    const child = start('while True: print("more")')
    let said = ''
    child.stderr.on('data', (text) => (said += text))
    child.stdout.once('data', () => child.stdout.destroy())
    const [code] = await once(child, 'close')
    expect({ code, said }).toEqual({ code: 141, said: '' })
  })
})
