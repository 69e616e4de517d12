import type { CompiledPolicy } from '@pyisolate/policy'
import { ReloadError } from '../../errors/reload-error.js'

/** Set once in a cell, and only ever tightened by the kernel: resource limits, and the seccomp filter. */
const frozenLimits = [
  'memory',
  'threads',
  'openFiles',
  'fileSize',
  'cpuTime',
  'wallTime',
  'output',
  'messages',
] as const

/** @throws ReloadError if `next` needs what a running sandbox can't be given, or can't lose */
export function frozenDifference(sandbox: string, now: CompiledPolicy, next: CompiledPolicy): void {
  const frozen: string[] = []
  if (
    names(now.syscalls.allow) !== names(next.syscalls.allow) ||
    names(now.syscalls.deny) !== names(next.syscalls.deny)
  )
    frozen.push('syscalls')
  if (names(now.imports.allow) !== names(next.imports.allow) || names(now.imports.deny) !== names(next.imports.deny))
    frozen.push('imports')
  for (const limit of frozenLimits) if (now.limits[limit] !== next.limits[limit]) frozen.push(`limits.${limit}`)
  // A cell that was started without a group of its own has none that could be changed.
  if ((now.limits.cpu === undefined) !== (next.limits.cpu === undefined)) frozen.push('limits.cpu')
  if (frozen.length === 0) return
  const list = frozen.join(', ')
  throw new ReloadError(sandbox, frozen, `it differs in ${list}, which the kernel or the cell keeps from the start on`)
}

function names(rules: readonly { readonly name: string }[]): string {
  if (rules.length === 0) return ''
  return [...new Set(rules.map(({ name }) => name))].sort().join(' ')
}
