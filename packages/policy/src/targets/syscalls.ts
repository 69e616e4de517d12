import type { CompiledPolicy } from '../compile/compiled-policy.js'
import { defaultProfile } from '../syscalls/profile.js'

/** What a policy changes of the profile: names for the engine's filter, sorted. */
export interface SyscallsTarget {
  /** Beside the profile. */
  readonly allow: readonly string[]
  /** Out of the profile, those that it allows by argument or leaves to the broker included. */
  readonly deny: readonly string[]
}

export function compileSyscalls({ syscalls }: CompiledPolicy): SyscallsTarget {
  const { allow, byArgument, ruled } = defaultProfile
  const profile = new Set([...allow, ...byArgument, ...ruled])
  const denied = new Set(syscalls.deny.map(({ name }) => name))
  const added = syscalls.allow.map(({ name }) => name).filter((name) => !profile.has(name) && !denied.has(name))
  return { allow: [...new Set(added)].sort(), deny: [...denied].filter((name) => profile.has(name)).sort() }
}
