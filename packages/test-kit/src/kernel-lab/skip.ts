import { readFileSync } from 'node:fs'

import type { SkippableContext } from '../internal/skip.js'

/**
 * Why there can be no kernel lab on this host; `undefined` where there can. Programs and kernels that aren't there are
 * no such reason: set-up provides them, and a run without them fails.
 */
export function kernelLabAbsence(): string | undefined {
  if (process.arch !== 'x64') return `the lab's kernels are for x64, this is ${process.arch}`
  if (process.getuid?.() !== 0)
    return `sharing this machine's root over virtiofs needs root, the effective user is ${process.geteuid?.()}`
  if (!/^ID="?debian"?$/m.test(readFileSync('/etc/os-release', 'utf8')))
    return "the kernels are Debian's own, and apt verifies them by the keys of a Debian system: this is another"
  return undefined
}

/** Skips the running test where `kernelLabAbsence` has a reason. */
export function skipUnlessKernelLab(context: SkippableContext): void {
  const reason = kernelLabAbsence()
  if (reason !== undefined) context.skip(`needs the kernel lab; ${reason}`)
}
