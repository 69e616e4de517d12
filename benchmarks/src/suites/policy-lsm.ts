import { fileURLToPath } from 'node:url'
import { kernelLabAbsence, runInKernel } from '@pyisolate/test-kit/kernel-lab'
import { type Figure, figure, peer } from '../figure.js'
import { median } from '../statistics.js'
import { check, type Suite } from '../suite.js'

interface Samples {
  readonly without: readonly number[]
  readonly unlabelled: readonly number[]
  readonly labelled: readonly number[]
}

/** Of a machine that is emulated, times mean nothing; how they compare does. */
export const policyLsmOverhead: Suite = {
  name: 'policy.lsm.overhead',
  limit: 'opening and closing a file without the programs; all in a virtual machine, so only the ratio says something',
  missing: kernelLabAbsence,
  async run(context): Promise<Figure[]> {
    context.step('booting kernel 6.12 in a virtual machine')
    const program = fileURLToPath(new URL('./machine/lsm-overhead.js', import.meta.url))
    const rounds = context.count(10, 1)
    const opens = context.count(1_000, 50)
    const command = [process.execPath, program, String(rounds), String(opens)]
    const { stdout, stderr, code } = await runInKernel({ kernel: '6.12', command, timeout: 300_000 })
    check(code === 0, `the program in the machine: ${stderr}`)
    const { without, unlabelled, labelled } = JSON.parse(stdout) as Samples
    const base = median(without)
    const ratios = (samples: readonly number[]) => samples.map((ns) => ns / base)
    const peers = [peer('a process without a label', ratios(unlabelled))]
    return [figure({ name: this.name, unit: '×', samples: ratios(labelled), limit: ratios(without), peers })]
  },
}
