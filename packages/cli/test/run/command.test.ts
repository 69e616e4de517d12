import { EngineMissingError, RefusedError, SpawnError } from '@pyisolate/interface'
import { FakeException } from '@pyisolate/test-kit'
import { describe, expect, it } from 'vitest'
import { FakeTerminal, runWith } from '../support.js'

describe('pyisolate run', () => {
  it('runs the program from standard input and passes its output on, byte by byte', async () => {
    const bytes = Uint8Array.of(0x61, 0xff, 0xfe, 0x0a)
    const terminal = new FakeTerminal({ stdin: '\ufeffprint("é")' })
    let seen: unknown
    const { code } = await runWith(
      async ({ code }, guest) => {
        seen = code
        await guest.print(bytes)
        await guest.print('oh\n', 'err')
      },
      [],
      { terminal },
    )
    expect(code).toBe(0)
    expect(seen).toBe('print("é")')
    expect([...terminal.outBytes]).toEqual([...bytes])
    expect(terminal.err).toBe('oh\n')
    expect(terminal.listening).toBe(false)
  })

  it('prints what is posted in its place, as JSON', async () => {
    const { terminal } = await runWith(async (_, guest) => {
      await guest.print('a\n')
      await guest.post({ n: 1 })
      await guest.print('b\n')
    })
    expect(terminal.out).toBe('a\n{"n":1}\nb\n')
  })

  it('exits with 1 and the traceback for an exception', async () => {
    const { code, terminal } = await runWith(() => {
      throw new FakeException('ValueError', 'no')
    })
    expect(code).toBe(1)
    expect(terminal.err).toMatch(/^Traceback[\s\S]*ValueError: no\n$/)
  })

  it.each([
    ['sys.exit(7)', 7, 7],
    ['sys.exit(-1)', -1, 255],
  ])('mirrors %s', async (_, status, expected) => {
    const { code, terminal } = await runWith((_request, guest) => guest.exit(status))
    expect(code).toBe(expected)
    expect(terminal.err).toBe('')
  })

  it('mirrors a signal', async () => {
    const { code, terminal } = await runWith((_, guest) => guest.crash(11))
    expect(code).toBe(139)
    expect(terminal.err).toBe('pyisolate: it died of SIGSEGV\n')
  })

  it.each([false, true])('exits with 124 at --timeout (stubborn: %s)', async (stubborn) => {
    const { code, terminal } = await runWith(
      async (_, guest) => {
        if (stubborn) guest.ignoreInterrupts()
        await guest.sleep(10_000)
      },
      ['--timeout', '50ms'],
    )
    expect(code).toBe(124)
    expect(terminal.err).toBe('pyisolate: it ran longer than 50 ms (--timeout)\n')
  })

  it('cuts output at --output and exits with 153', async () => {
    const { code, terminal } = await runWith((_, guest) => guest.print('0123456789'), ['--output', '4'])
    expect(code).toBe(153)
    expect(terminal.out).toBe('0123')
  })

  it.each([
    [new EngineMissingError('not built'), 127],
    [new RefusedError('no Landlock', { missing: ['landlock'] }), 126],
    [new SpawnError('no processes'), 125],
  ])('says why there is no sandbox: %s', async (error, expected) => {
    const { code, terminal } = await runWith(() => null, [], {
      onSpawn: () => {
        throw error
      },
    })
    expect(code).toBe(expected)
    expect(terminal.err).toBe(`pyisolate: ${error.message}\n`)
  })

  it('exits with 125 when the sandbox breaks the protocol', async () => {
    const { code, terminal } = await runWith((_, guest) => guest.frame(69, 0, Uint8Array.of(0xff)))
    expect(code).toBe(125)
    expect(terminal.err).toContain('it broke the protocol')
  })

  it('hands the options over', async () => {
    let request: Record<string, unknown> = {}
    const argv = [
      '--memory',
      '64M',
      '--threads',
      '3',
      '--cpu',
      '1.5',
      '--preload',
      'json,re',
      '--preload',
      'math',
      '--cell',
      'c',
    ]
    await runWith(() => null, argv, {
      onSpawn: (given) => {
        request = given as unknown as Record<string, unknown>
      },
    })
    expect(request).toMatchObject({ isolation: 'interpreter', cell: 'c', preload: ['json', 're', 'math'] })
    expect(request.limits).toMatchObject({ memory: 64 * 2 ** 20, threads: 3, cpuSeconds: 1.5 })
  })
})
