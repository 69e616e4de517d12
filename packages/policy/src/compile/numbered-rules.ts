import type { Place } from '../errors/policy-error.js'
import type { Contract } from '../schema/contract.js'
import type { FileRule, NameRule, NetRule } from '../schema/rules.js'
import { formatPath } from '../values/path.js'
import { formatTarget } from '../values/target.js'
import type { CompiledPolicy } from './compiled-policy.js'

/** Every list of rules, in the order that numbers them. */
const lists = {
  'fs.read': ({ fs }: CompiledPolicy) => fs.read,
  'fs.write': ({ fs }: CompiledPolicy) => fs.write,
  'fs.exec': ({ fs }: CompiledPolicy) => fs.exec,
  'fs.deny': ({ fs }: CompiledPolicy) => fs.deny,
  'net.connect': ({ net }: CompiledPolicy) => net.connect,
  'net.bind': ({ net }: CompiledPolicy) => net.bind,
  'net.sendto': ({ net }: CompiledPolicy) => net.sendto,
  'net.deny': ({ net }: CompiledPolicy) => net.deny,
  'net.dns': ({ net }: CompiledPolicy) => net.dns,
  'syscalls.allow': ({ syscalls }: CompiledPolicy) => syscalls.allow,
  'syscalls.deny': ({ syscalls }: CompiledPolicy) => syscalls.deny,
  'imports.allow': ({ imports }: CompiledPolicy) => imports.allow,
  'imports.deny': ({ imports }: CompiledPolicy) => imports.deny,
  contracts: ({ contracts }: CompiledPolicy) => contracts,
} as const

export type Section = keyof typeof lists
const sections = Object.keys(lists) as Section[]
type RuleIn<S extends Section> = ReturnType<(typeof lists)[S]>[number]

/** In events and tables: no rule decided. */
export const noRule = 0xffff_ffff

export interface NumberedRule {
  /** What events, tables and maps call it: its index here. */
  readonly number: number
  readonly section: Section
  /** As a policy would say it, in the normal form. */
  readonly text: string
  readonly place: Place
  /** Whether what it fits is refused: an explicit denial, or a contract that does more than log. */
  readonly deny: boolean
}

/** Every rule of a policy, each at the index that is its number: section by section, in their written order. */
export function numberedRules(policy: CompiledPolicy): readonly NumberedRule[] {
  return sections.flatMap((section) =>
    rulesIn(policy, section).map(({ number, rule }) => ({
      number,
      section,
      text: textOf(rule),
      place: rule.place,
      deny: section.endsWith('.deny') || ('action' in rule && rule.action !== 'log'),
    })),
  )
}

/** The rules of one section with their numbers. */
export function rulesIn<S extends Section>(
  policy: CompiledPolicy,
  section: S,
): readonly { readonly number: number; readonly rule: RuleIn<S> }[] {
  const first = firstNumber(policy, section)
  const rules = lists[section](policy) as readonly RuleIn<S>[]
  return rules.map((rule, at) => ({ number: first + at, rule }))
}

/** The number of a section's first rule: that of each other one is as many higher as it comes later. */
export function firstNumber(policy: CompiledPolicy, section: Section): number {
  let first = 0
  for (const before of sections) {
    if (before === section) break
    first += lists[before](policy).length
  }
  return first
}

function textOf(rule: FileRule | NetRule | NameRule | Contract): string {
  if ('source' in rule) return `${rule.name}: ${rule.source}`
  if ('target' in rule) return formatTarget(rule.target)
  return 'path' in rule ? formatPath(rule) : rule.name
}
