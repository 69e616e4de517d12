import { setTimeout as delay } from 'node:timers/promises'
import type { Supervisor } from '@pyisolate/core'
import { childProcesses, countCgroups, countDescriptors } from '@pyisolate/test-kit'
import { type Figure, figure } from '../figure.js'
import { collectGarbage } from '../internal/garbage.js'
import { check, type Suite } from '../suite.js'

const TOGETHER = 4
const POOL = 4
const SETTLE_MS = 500

interface Counts {
  readonly descriptors: number
  readonly children: number
  readonly cgroups: number
  /** Resident KiB; of JavaScript's heap only what is in use, as the engine keeps what it has once needed. */
  readonly memory: number
}

/** With the pool full again, so that before and after are alike. */
async function counts(): Promise<Counts> {
  await delay(SETTLE_MS)
  collectGarbage()
  const memory = process.memoryUsage()
  return {
    descriptors: countDescriptors(),
    children: childProcesses().length,
    cgroups: countCgroups('/sys/fs/cgroup'),
    memory: (memory.rss - memory.heapTotal + memory.heapUsed) / 1024,
  }
}

async function cycle(supervisor: Supervisor, n: number): Promise<void> {
  const sandbox = await supervisor.spawn(`cycle-${n}`)
  check((await sandbox.eval(`${n} + 1`)) === n + 1, 'a cycle')
  await sandbox.close()
}

/** Spawned, used and closed, so many times; microseconds of each. */
async function cycles(supervisor: Supervisor, count: number): Promise<number[]> {
  const samples: number[] = []
  let next = 0
  const worker = async () => {
    while (next < count) {
      const start = performance.now()
      await cycle(supervisor, next++)
      samples.push((performance.now() - start) * 1000)
    }
  }
  await Promise.all(Array.from({ length: TOGETHER }, worker))
  return samples
}

export const cycleLeak: Suite = {
  name: 'cycle.leak',
  limit: 'nothing: what is there after all cycles beyond what was there before them',
  async run(context): Promise<Figure[]> {
    await using supervisor = context.supervisor({ pool: { size: POOL } })
    const total = context.count(10_000, 200)
    context.step('warming up')
    await cycles(supervisor, context.count(1000, 50))
    const before = await counts()
    context.step(`${total} cycles`)
    const samples = await cycles(supervisor, total)
    const after = await counts()
    const left = (of: keyof Counts, unit: string) => {
      const samples = [after[of] - before[of]]
      return { ...figure({ name: `${this.name}.${of}`, unit, samples, limit: 0 }), n: total }
    }
    return [
      left('descriptors', 'more'),
      left('children', 'more'),
      left('cgroups', 'more'),
      left('memory', 'KiB more'),
      figure({ name: `${this.name}.cycle`, unit: 'µs', samples }),
    ]
  },
}
