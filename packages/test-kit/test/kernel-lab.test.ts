import { describe, expect, test } from 'vitest'

import { KernelLabError, labKernels, runInKernel, skipUnlessKernelLab } from '../src/kernel-lab/index.js'

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('kernel lab', { timeout: 90_000 }, () => {
  test.for(labKernels)(
    'kernel %s runs a command on this machine’s files, with BPF LSM and BTF',
    async (kernel, context) => {
      skipUnlessKernelLab(context)
      const script =
        'uname -r; cat /sys/kernel/security/lsm; echo; echo /sys/kernel/btf/*; echo "$GREETING" >&2; exit 7'
      const { code, stdout, stderr } = await runInKernel({
        kernel,
        command: ['sh', '-c', script],
        env: { GREETING: "it's here" },
      })
      const [release = '', modules = '', types = ''] = stdout.split('\n')
      expect(release.startsWith(`${kernel}.`)).toBe(true)
      expect(modules.split(',')).toContain('bpf')
      expect(types).toContain('/sys/kernel/btf/vmlinux')
      expect(stderr).toBe("it's here\n")
      expect(code).toBe(7)
    },
  )

  test('a machine that goes off without a result has failed', async (context) => {
    skipUnlessKernelLab(context)
    const command = ['sh', '-c', 'echo o >/proc/sysrq-trigger; sleep 60']
    const error = await failureOf(runInKernel({ kernel: '6.12', command }))
    expect(KernelLabError.isInstance(error) && error.problem).toBe('no-result')
  })

  test('a machine that does not end is killed', async (context) => {
    skipUnlessKernelLab(context)
    const error = await failureOf(runInKernel({ kernel: '6.12', command: ['sleep', '600'], timeout: 1500 }))
    expect(KernelLabError.isInstance(error) && error.problem).toBe('timeout')
  })
})
