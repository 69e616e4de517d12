// What a kernel does that isn't this machine's: sandboxes that it holds to their policy itself, and io_uring forbidden. In
// virtual machines.
import { fileURLToPath } from 'node:url'
import {
  kernelLabAbsence,
  type LabKernel,
  labKernels,
  runInKernel,
  skipUnlessKernelLab,
} from '@pyisolate/test-kit/kernel-lab'
import { build } from 'tsup'
import { beforeAll, describe, expect, it } from 'vitest'

interface Outcome {
  readonly name: string
  readonly results?: unknown
  readonly error?: { readonly code: string | null; readonly text: string }
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** For the Node.js that runs there; the packages are those that were built. */
async function program(): Promise<string> {
  await build({
    entry: { machine: `${root}test/kernel/machine.ts`, 'echo-answers': `${root}test/kernel/echo-answers.ts` },
    outDir: `${root}build/kernel`,
    format: ['esm'],
    target: 'node20',
    external: [/^@pyisolate\//],
    config: false,
    silent: true,
    dts: false,
  })
  return `${root}build/kernel/machine.js`
}

const outcomes = new Map<LabKernel, ReadonlyMap<string, Outcome>>()

beforeAll(async () => {
  if (kernelLabAbsence() !== undefined) return
  const file = await program()
  const run = async (kernel: LabKernel) => {
    const result = await runInKernel({ kernel, command: [process.execPath, file], timeout: 170_000, memory: 2048 })
    expect(`${result.stderr}${result.stdout.includes('RESULTS-END') ? '' : 'no end'}`).toBe('')
    const lines = result.stdout.split('\n').flatMap((line) => /^RESULT (.*)$/.exec(line)?.[1] ?? [])
    const all = lines.map((line) => JSON.parse(line) as Outcome)
    outcomes.set(kernel, new Map(all.map((outcome) => [outcome.name, outcome])))
  }
  await Promise.all(labKernels.map(run))
}, 180_000)

describe.each(labKernels)('kernel %s', (kernel) => {
  const outcome = (name: string) => {
    const { results, error } = outcomes.get(kernel)!.get(name)!
    return error ?? results
  }

  it('runs no code that a guest has written, until its policy says so, live', (context) => {
    skipUnlessKernelLab(context)
    expect(outcome('code that a guest has written')).toEqual({
      without: 'ok',
      with: 'EACCES',
      read: true,
      told: { operation: 'exec', object: expect.stringMatching(/\/code$/), errno: 'EACCES', line: null, generation: 1 },
      loosened: 'ok',
      tightened: 'EACCES',
      enforcement: ['active fs.read', 'active fs.write'],
    })
  })

  it('counts what a connected socket sends, which nobody else sees', (context) => {
    skipUnlessKernelLab(context)
    expect(outcome('what a connected socket sends')).toEqual({
      refused: 'ERR_PYISOLATE_UNENFORCEABLE',
      little: 'ok',
      much: 'EPERM',
      addressed: ['ok', 'ok', 'EPERM'],
    })
  })

  it('counts what its sockets receive, for contracts', (context) => {
    skipUnlessKernelLab(context)
    expect(outcome('what a connected socket receives')).toEqual({
      refused: 'ERR_PYISOLATE_UNENFORCEABLE',
      attempts: ['ok', 'ok', 'EPERM'],
      counted: 2000,
    })
  })

  it('cuts off a descriptor that a service passes and its policy would not let be opened', (context) => {
    skipUnlessKernelLab(context)
    expect(outcome('a descriptor that a service passes')).toEqual({
      without: ['secret'],
      'without, a pipe': 1,
      with: [],
      'with, a pipe': 1,
      told: expect.objectContaining({
        operation: 'read',
        object: expect.stringMatching(/\/passed-secret$/),
        errno: 'EACCES',
      }),
    })
  })

  it('leaves what the broker hands over alone, also by rules that only the broker can keep', (context) => {
    skipUnlessKernelLab(context)
    expect(outcome('a descriptor that the broker passes')).toEqual({ later: 'later', socket: 'ok' })
  })

  it('has the main thread of a cell do nothing for a guest that takes it over', (context) => {
    skipUnlessKernelLab(context)
    const seen = outcome('the main thread of a cell, taken over by a guest')
    if (kernel === '6.1') return expect(seen).toMatchObject({ code: 'ERR_PYISOLATE_UNSUPPORTED' })
    const start = 'r"""OS'
    expect(seen).toEqual({
      'without, own': start,
      without: [start],
      'with, own': start,
      with: [],
      told: expect.objectContaining({
        operation: 'read',
        object: expect.stringMatching(/\/os\.py$/),
        errno: 'EACCES',
      }),
    })
  })

  it('bounds a cell by what its sandboxes may, together: a guest has a neighbour do that, and nothing else', (context) => {
    skipUnlessKernelLab(context)
    const seen = outcome('a neighbour of a cell, taken over by a guest')
    if (kernel === '6.1') return expect(seen).toMatchObject({ code: 'ERR_PYISOLATE_UNSUPPORTED' })
    expect(seen).toEqual({
      itself: 'EACCES',
      theirs: ['theirs'],
      nobody: [],
      told: expect.objectContaining({ object: expect.stringMatching(/\/nobody\/x$/), errno: 'EACCES' }),
    })
  })

  it('holds the sockets of a sandbox to its bandwidth, on kernels of every age', (context) => {
    skipUnlessKernelLab(context)
    const one = { all: 2000 * 1028, within: true, dropped: true }
    expect(outcome('bandwidth')).toEqual({ process: one, interpreter: one })
  })

  it('has an I/O thread use epoll where the kernel’s setting forbids io_uring', (context) => {
    skipUnlessKernelLab(context)
    const seen = outcome('io_uring by the kernel’s setting')
    // Linux 6.6 has the setting.
    if (kernel === '6.1') return expect(seen).toEqual({ absent: true })
    const [uring, epoll] = ['io_uring  1; io_uring to be had', 'epoll EPERM 1; ERR_PYISOLATE_IO_UNAVAILABLE EPERM']
    expect(seen).toEqual({
      absent: false,
      '0 as root': uring,
      '0 as nobody': uring,
      '1 as root': uring,
      '1 as nobody': epoll,
      '2 as root': epoll,
      '2 as nobody': epoll,
      guest: 100,
    })
  })

  it('holds each sandbox of a cell to its own policy, or refuses it where threads can’t be told apart', (context) => {
    skipUnlessKernelLab(context)
    const seen = outcome('two policies in one process')
    if (kernel === '6.1') expect(seen).toMatchObject({ code: 'ERR_PYISOLATE_UNSUPPORTED' })
    else expect(seen).toEqual({ may: 'ok', mayNot: 'EACCES', itsThread: 'EACCES' })
  })
})
