import { fileURLToPath } from 'node:url'
import {
  childProcesses,
  countDescriptors,
  isAlive,
  type RunOptions,
  type RunResult,
  runSource,
  until,
} from '@pyisolate/test-kit'

/** Where `import … from '@pyisolate/core'` finds the package under test. */
const cwd = fileURLToPath(new URL('../..', import.meta.url))

/** A supervisor in a process of its own. */
export function runSupervisor(body: string, options: RunOptions = {}): Promise<RunResult> {
  const source = `import { createSupervisor } from '@pyisolate/core'\nconst sleep = (ms) => new Promise((done) => setTimeout(done, ms))\n${body}`
  return runSource(source, { cwd, timeout: 60_000, ...options })
}

/** All processes below one, as far as this side sees them. */
export function descendants(pid: number): number[] {
  return childProcesses(pid).flatMap((child) => [child, ...descendants(child)])
}

export async function allGone(pids: readonly number[]): Promise<void> {
  await until(() => !pids.some(isAlive), 5000, 'the end of every process')
}

/** Descriptors and children of this process, to be compared with later. */
export function holdings(): { descriptors: number; children: number } {
  return { descriptors: countDescriptors(), children: childProcesses().length }
}
