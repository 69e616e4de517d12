import type { CompiledPolicy } from '../compile/compiled-policy.js'
import type { Place } from '../errors/policy-error.js'
import type { NetRule } from '../schema/rules.js'
import { coversModule } from '../values/module-name.js'
import { matchesPath, type PathPattern } from '../values/path.js'
import type { Target } from '../values/target.js'
import { coversName, matchesNetwork } from '../values/target-match.js'
import type { Operation } from './operation.js'

export interface Explanation {
  readonly allowed: boolean
  /** Where the rule that decided was written; none when nothing fits, which denies. */
  readonly place: Place | undefined
  readonly because: 'denied by a rule' | 'allowed by a rule' | 'no rule allows it' | 'nothing restricts it'
}

/** What `$STDLIB` and `$TMP` stand for in a sandbox; a rule on one that isn't given fits nothing. */
export type Variables = Readonly<Partial<Record<'STDLIB' | 'TMP', string>>>

/** Whether a policy allows an operation, and the line that decides. The meaning that every enforcer is held to. */
export function explain(policy: CompiledPolicy, operation: Operation, variables: Variables = {}): Explanation {
  switch (operation.kind) {
    case 'read':
    case 'write':
    case 'exec': {
      const fits = (rule: PathPattern) => {
        const pattern = expand(rule, variables)
        return pattern !== undefined && matchesPath(pattern, operation.path)
      }
      return decide(policy.fs.deny.filter(fits), policy.fs[operation.kind].filter(fits))
    }
    case 'connect':
    case 'bind':
    case 'sendto': {
      const fits = ({ target }: NetRule) => reaches(target, operation)
      return decide(policy.net.deny.filter(fits), policy.net[operation.kind].filter(fits))
    }
    case 'resolve':
      return decide(
        [],
        policy.net.dns.filter(({ name }) => coversName(name, operation.name.toLowerCase())),
      )
    case 'import': {
      const fits = ({ name }: { readonly name: string }) => coversModule(name, operation.module)
      const { allow, deny } = policy.imports
      // Without a list of what may be imported, all may: Python's modules are no boundary, the kernel is.
      return decide(deny.filter(fits), allow.filter(fits), allow.length === 0)
    }
  }
}

type Placed = { readonly place: Place }

function decide(deny: readonly Placed[], allow: readonly Placed[], free = false): Explanation {
  if (deny.length > 0) return { allowed: false, place: deny[0]!.place, because: 'denied by a rule' }
  if (allow.length > 0) return { allowed: true, place: allow[0]!.place, because: 'allowed by a rule' }
  return { allowed: free, place: undefined, because: free ? 'nothing restricts it' : 'no rule allows it' }
}

/** A pattern with its variable replaced. */
export function expand(pattern: PathPattern, variables: Variables): PathPattern | undefined {
  if (!pattern.path.startsWith('$')) return pattern
  const [variable, ...rest] = pattern.path.split('/') as [string, ...string[]]
  const folder = variables[variable.slice(1) as keyof Variables]
  return folder === undefined ? undefined : { ...pattern, path: [folder, ...rest].join('/') }
}

type Socket = Extract<Operation, { readonly protocol: string }>

function reaches(target: Target, operation: Socket): boolean {
  if (target.protocol !== operation.protocol) return false
  if ('port' in operation) {
    if (target.kind !== 'address' && target.kind !== 'name') return false
    if (operation.port < target.ports.from || operation.port > target.ports.to) return false
    if (target.kind === 'address') return matchesNetwork(target.cidr, operation.address)
    return operation.name !== undefined && coversName(target.name, operation.name.toLowerCase())
  }
  if ('abstract' in operation) return target.kind === 'abstract' && target.name === operation.abstract
  return target.kind === 'unix' && matchesPath(target, operation.path)
}
