import type { CompiledPolicy } from '../compile/compiled-policy.js'
import { numberedRules } from '../compile/numbered-rules.js'
import type { Variables } from '../explain/variables.js'
import { checkPaths } from './check-paths.js'
import { type FileAccess, fileAccess, gaps, type NetAccess, netAccess, scopes } from './landlock-access.js'
import { fileGrants } from './landlock-files.js'
import { portGrants } from './landlock-ports.js'

/** What is allowed below a folder, or at a file. Of a file, only the rights that files have are to be asked for. */
export interface LandlockRule {
  readonly path: string
  /** Without it, the rule was written for `path` alone, which Landlock can hold only if that is a file. */
  readonly subtree: boolean
  readonly access: readonly FileAccess[]
  /** Numbers of the policy's rules that it stands for. */
  readonly rules: readonly number[]
}

/** Ports of any address; from 0 where the kernel may choose one. */
export interface LandlockPorts {
  readonly access: NetAccess
  readonly from: number
  readonly to: number
  readonly rules: readonly number[]
}

/** A rule that Landlock alone doesn't hold as `explain` does. */
export interface InexactRule {
  readonly rule: number
  /** `looser`: something passes that the policy denies; `stricter`: something fails that it allows. */
  readonly effect: 'looser' | 'stricter'
  /** `folder`: only if the path of a rule without `/**` turns out to be a folder. */
  readonly when: 'always' | 'folder'
  readonly why: string
}

/**
 * A policy as Landlock can have it (landlock(7)): what is allowed, by folder and by port. It has no denials below what
 * is allowed and no addresses, so it is a ceiling: apart from `stricter` rules everything that the policy allows passes.
 */
export interface LandlockTarget {
  /** To be ruled on as far as the kernel's ABI goes: whatever of it no rule grants is denied. Name to first ABI. */
  readonly handled: { readonly fs: typeof fileAccess; readonly net: typeof netAccess; readonly scoped: typeof scopes }
  /** Sorted by path. */
  readonly rules: readonly LandlockRule[]
  readonly ports: readonly LandlockPorts[]
  /** Numbers of rules under fs, and of net those on connect, bind, sendto and deny, that Landlock holds by itself. */
  readonly exact: readonly number[]
  /** The others of them, by number. */
  readonly inexact: readonly InexactRule[]
  /** What it has no say on; `ruledFrom`: the ABI that does. */
  readonly gaps: typeof gaps
}

/** @throws PolicyTargetError */
export function compileLandlock(policy: CompiledPolicy, variables: Variables = {}): LandlockTarget {
  checkPaths(variables)
  const files = fileGrants(policy, variables)
  const sockets = portGrants(policy)
  const inexact = [...files.inexact, ...sockets.inexact].sort((a, b) => a.rule - b.rule)
  const ruled = numberedRules(policy).filter(({ section }) => /^(fs|net)\./.test(section) && section !== 'net.dns')
  return {
    handled: { fs: fileAccess, net: netAccess, scoped: scopes },
    rules: files.rules,
    ports: sockets.ports,
    exact: ruled.map(({ number }) => number).filter((number) => !inexact.some(({ rule }) => rule === number)),
    inexact,
    gaps,
  }
}
