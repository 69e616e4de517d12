import type { CompiledPolicy } from '@pyisolate/policy'
import { lazily } from '../lazily.js'

export type PolicyModule = typeof import('@pyisolate/policy')

let loading: Promise<PolicyModule> | undefined

/** Loaded when the first policy is used: a sandbox of the built-in one never waits for it. @throws SpawnError */
export function policyModule(): Promise<PolicyModule> {
  loading ??= lazily('@pyisolate/policy', () => import('@pyisolate/policy')).catch((error) => {
    // What was missing may be there next time.
    loading = undefined
    throw error
  })
  return loading
}

/** A template's name, a path (absolute, or starting with a dot), or what `@pyisolate/policy` compiled. */
export type GivenPolicy = string | CompiledPolicy

const templates = new Map<string, CompiledPolicy>()

/** Files are read each time; templates never change. @throws PolicyError */
export function findPolicy(policies: PolicyModule, given: GivenPolicy): CompiledPolicy {
  if (typeof given !== 'string') return given
  const known = templates.get(given)
  if (known !== undefined) return known
  const policy = policies.loadPolicy(given)
  if (policies.templateNames().includes(given)) templates.set(given, policy)
  return policy
}

/** What is made of a policy is kept by its identity: the same one must come out again. */
const granted = new WeakMap<CompiledPolicy, { readonly paths: readonly string[]; readonly policy: CompiledPolicy }>()

/** The policy and what the supervisor's own options let every sandbox read. */
export function withGrants(policy: CompiledPolicy, paths: readonly string[]): CompiledPolicy {
  if (paths.length === 0) return policy
  const known = granted.get(policy)
  if (known?.paths === paths) return known.policy
  const place = { file: 'options of the supervisor', line: 1, column: 1 }
  const grants = paths.map((path) => ({ path, subtree: true, place }))
  const wider = { ...policy, fs: { ...policy.fs, read: [...policy.fs.read, ...grants] } }
  granted.set(policy, { paths, policy: wider })
  return wider
}
