import type { Place } from '../errors/policy-error.js'
import type { Contract } from '../schema/contract.js'
import type { FsSection, LimitPlaces, LimitsSection, NamesSection, NetSection } from '../schema/policy-document.js'

/**
 * The one representation that every enforcer and `explain` read. Rules are in the order they were written, those of
 * what a policy extends first. An operation is denied if a deny rule fits, else allowed if an allow rule fits, else
 * denied. Plain data: it can be copied, stored and sent.
 */
export interface CompiledPolicy {
  readonly schema: 1
  readonly name: string
  readonly description: string
  readonly enforcement: 'strict' | 'best-effort'
  readonly fs: FsSection
  readonly net: NetSection
  readonly syscalls: NamesSection & { readonly profile: 'default' }
  readonly imports: NamesSection
  readonly limits: Partial<LimitsSection>
  /** Of each limit, the line that the one in force was written on. */
  readonly limitPlaces: LimitPlaces
  readonly contracts: readonly Contract[]
  /** Every document it was made of, the one that was asked for last. */
  readonly sources: readonly string[]
  /** SHA-256 over what it demands, in hex: the same for the same rules, wherever and however they were written. */
  readonly digest: string
}

/** Where a policy that allows nothing would have been written. */
export const nowhere: Place = Object.freeze({ file: '<default>', line: 1, column: 1 })
