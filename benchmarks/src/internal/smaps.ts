import { readFileSync } from 'node:fs'

export interface MemoryKiB {
  /** Neither shared nor copy-on-write. */
  readonly private: number
  /** The private and a fair part of the shared (Pss). */
  readonly proportional: number
}

/** By the kernel's account. @throws when the process has ended, or isn't ours to look into */
export function memoryOf(pid: number | 'self'): MemoryKiB {
  const sizes = new Map<string, number>()
  for (const line of readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1').split('\n')) {
    const [, name, size] = /^(\w+):\s+(\d+) kB$/.exec(line) ?? []
    if (name !== undefined) sizes.set(name, Number(size))
  }
  const of = (name: string) => sizes.get(name) ?? 0
  return { private: of('Private_Clean') + of('Private_Dirty'), proportional: of('Pss') }
}
