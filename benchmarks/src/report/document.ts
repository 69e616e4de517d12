import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'
import type { Figure } from '../figure.js'
import { packageFolder } from '../internal/files.js'

/** What a run leaves behind, for comparing it with another. */
export interface Document {
  readonly machine: {
    readonly processor: string
    readonly processors: number
    readonly memoryMiB: number
    readonly kernel: string
    /** Of the last minute, before the run: what else went on. */
    readonly load: number
  }
  readonly node: string
  readonly python: string
  /** With `-dirty` when the sources differ from it; `null` outside a checkout. */
  readonly commit: string | null
  readonly figures: readonly Figure[]
}

export type Circumstances = Omit<Document, 'figures'>

export function circumstances(python: string): Circumstances {
  const processors = cpus()
  return {
    machine: {
      processor: processors[0]?.model.trim() ?? 'unknown',
      processors: processors.length,
      memoryMiB: Math.round(totalmem() / 2 ** 20),
      kernel: release(),
      load: Math.round(loadavg()[0]! * 100) / 100,
    },
    node: process.versions.node,
    python,
    commit: commit(),
  }
}

function commit(): string | null {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: packageFolder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return `${git('rev-parse', 'HEAD')}${git('status', '--porcelain') === '' ? '' : '-dirty'}`
  } catch {
    return null
  }
}
