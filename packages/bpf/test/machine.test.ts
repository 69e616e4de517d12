import {
  kernelLabAbsence,
  type LabKernel,
  type LabResult,
  labKernels,
  runInKernel,
  skipUnlessKernelLab,
} from '@pyisolate/test-kit/kernel-lab'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundle } from './bundle.js'
import { offered, type Scenario } from './machine/scenario.js'
import { scenarios } from './machine/scenarios.js'
import { type Outcome, outcomesIn } from './outcomes.js'

// Both at once: each has two processors of its own, which are slow, and waits a lot.
const running = new Map<LabKernel, Promise<LabResult>>()

beforeAll(async () => {
  if (kernelLabAbsence() !== undefined) return
  const program = await bundle()
  for (const kernel of labKernels) {
    const run = runInKernel({ kernel, command: [process.execPath, program], timeout: 420_000 })
    // Looked at by the kernel's own tests.
    run.catch(() => {})
    running.set(kernel, run)
  }
})

describe.each(labKernels)('kernel %s', (kernel) => {
  const table: string[] = []
  let outcomes: ReadonlyMap<string, Outcome> = new Map()
  const own: readonly Scenario[] = scenarios.filter((scenario) => offered(scenario, kernel))

  test('runs every scenario to the end', { timeout: 440_000 }, async (context) => {
    skipUnlessKernelLab(context)
    const result = await running.get(kernel)!
    outcomes = outcomesIn(result.stdout)
    expect(`${result.stderr}${result.stdout.includes('RESULTS-END') ? '' : 'no end'}`).toBe('')
    expect(result.code).toBe(0)
    expect([...outcomes.keys()].sort()).toEqual(own.map(({ name }) => name).sort())
  })

  test.for(own.map(({ name, rules, by }) => ({ name, rules, by })))('$by: $name', ({ name, rules, by }, context) => {
    skipUnlessKernelLab(context)
    const outcome = outcomes.get(name)
    for (const rule of rules) table.push(`${rule} × ${by}: ${outcome?.error === '' ? 'kept' : 'NOT KEPT'}`)
    expect(outcome?.error).toBe('')
  })

  afterAll(() => {
    if (table.length > 0)
      console.log(
        `kernel ${kernel}\n${[...new Set(table)]
          .sort()
          .map((line) => `  ${line}\n`)
          .join('')}`,
      )
  })
})
