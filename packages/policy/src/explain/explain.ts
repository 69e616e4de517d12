import type { CompiledPolicy } from '../compile/compiled-policy.js'
import { rulesIn } from '../compile/numbered-rules.js'
import type { Place } from '../errors/policy-error.js'
import type { FileRule, NameRule, NetRule } from '../schema/rules.js'
import { whyNever } from '../syscalls/never.js'
import { defaultProfile } from '../syscalls/profile.js'
import { coversModule } from '../values/module-name.js'
import { isProc, matchesPath } from '../values/path.js'
import { coversName } from '../values/target-match.js'
import type { Operation } from './operation.js'
import { reaches } from './reaches.js'
import { expand, type Variables } from './variables.js'

export type Because =
  | 'denied by a rule'
  | 'allowed by a rule'
  | 'no rule allows it'
  /** There is no list of what may be imported. */
  | 'nothing restricts it'
  /** No rule can: procfs, and system calls that no sandbox may make. */
  | 'never allowed'
  | 'allowed by the profile'
  /** Of a system call whose arguments decide. */
  | 'allowed by the profile, with harmless arguments'
  /** Of a system call on files or sockets that the broker answers by those rules. */
  | 'left to the rules on files and the network'

export interface Explanation {
  readonly allowed: boolean
  /** The number of the rule that decided (see `numberedRules`); none when no rule did. */
  readonly rule: number | undefined
  /** Where it was written. */
  readonly place: Place | undefined
  readonly because: Because
}

/**
 * Whether a policy allows an operation, and the rule that decides: the deny rule with the lowest number that fits, else
 * the allow rule with the lowest number, else none, which denies. The meaning that every enforcer is held to.
 */
export function explain(policy: CompiledPolicy, operation: Operation, variables: Variables = {}): Explanation {
  switch (operation.kind) {
    case 'read':
    case 'write':
    case 'exec': {
      if (isProc(operation.path)) return never
      const fits = (rule: FileRule) => {
        const pattern = expand(rule, variables)
        return pattern !== undefined && matchesPath(pattern, operation.path)
      }
      return decide(
        first(rulesIn(policy, 'fs.deny'), fits),
        first(rulesIn(policy, `fs.${operation.kind}` as const), fits),
      )
    }
    case 'connect':
    case 'bind':
    case 'sendto': {
      if ('path' in operation && isProc(operation.path)) return never
      return decide(
        first(rulesIn(policy, 'net.deny'), ({ target }: NetRule) => reaches(target, operation, 'some')),
        first(rulesIn(policy, `net.${operation.kind}` as const), ({ target }: NetRule) =>
          reaches(target, operation, 'every'),
        ),
      )
    }
    case 'resolve': {
      const name = operation.name.toLowerCase().replace(/\.$/, '')
      return decide(
        undefined,
        first(rulesIn(policy, 'net.dns'), (rule) => coversName(rule.name, name)),
      )
    }
    case 'import': {
      const fits = ({ name }: NameRule) => coversModule(name, operation.module)
      // Without a list of what may be imported, all may: Python's modules are no boundary, the kernel is.
      return decide(
        first(rulesIn(policy, 'imports.deny'), fits),
        first(rulesIn(policy, 'imports.allow'), fits),
        policy.imports.allow.length === 0 ? 'nothing restricts it' : undefined,
      )
    }
    case 'syscall': {
      const fits = ({ name }: NameRule) => name === operation.name
      if (whyNever(operation.name) !== undefined) return never
      return decide(
        first(rulesIn(policy, 'syscalls.deny'), fits),
        first(rulesIn(policy, 'syscalls.allow'), fits),
        ofProfile(operation.name),
      )
    }
  }
}

type Numbered<R> = { readonly number: number; readonly rule: R }

function first<R>(rules: readonly Numbered<R>[], fits: (rule: R) => boolean): Numbered<R> | undefined {
  return rules.find(({ rule }) => fits(rule))
}

const never: Explanation = { allowed: false, rule: undefined, place: undefined, because: 'never allowed' }

type Placed = Numbered<{ readonly place: Place }>

/** `free`: why it is allowed without a rule, if it is. */
function decide(deny: Placed | undefined, allow: Placed | undefined, free?: Because): Explanation {
  if (deny !== undefined)
    return { allowed: false, rule: deny.number, place: deny.rule.place, because: 'denied by a rule' }
  if (allow !== undefined)
    return { allowed: true, rule: allow.number, place: allow.rule.place, because: 'allowed by a rule' }
  return { allowed: free !== undefined, rule: undefined, place: undefined, because: free ?? 'no rule allows it' }
}

function ofProfile(name: string): Because | undefined {
  if (defaultProfile.allow.includes(name)) return 'allowed by the profile'
  if (defaultProfile.byArgument.includes(name)) return 'allowed by the profile, with harmless arguments'
  return defaultProfile.ruled.includes(name) ? 'left to the rules on files and the network' : undefined
}
