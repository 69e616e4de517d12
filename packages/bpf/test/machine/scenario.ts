import type { Lab } from './lab.js'

export interface Scenario {
  readonly name: string
  /** Whose programs it is about. */
  readonly by: 'bpf-lsm' | 'bpf-cgroup'
  /** The kinds of rules that it shows to be kept. */
  readonly rules: readonly string[]
  /** What an older kernel lacks: labels of single threads came with Linux 6.9. */
  readonly needs?: 'thread-label'
  run(lab: Lab): Promise<void>
}

/** `kernel`: as `uname -r` starts. */
export function offered({ needs }: Pick<Scenario, 'needs'>, kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map(Number)
  return needs === undefined || major > 6 || (major === 6 && minor >= 9)
}
