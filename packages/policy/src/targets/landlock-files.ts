import type { CompiledPolicy } from '../compile/compiled-policy.js'
import { rulesIn } from '../compile/numbered-rules.js'
import { expand, type Variables } from '../explain/variables.js'
import { covers, matchesPath, type PathPattern } from '../values/path.js'
import { sortedByBytes } from '../values/sort-bytes.js'
import type { InexactRule, LandlockRule } from './landlock.js'
import { changeAccess, execAccess, type FileAccess, fileAccess, readAccess, writeAccess } from './landlock-access.js'

interface Pattern {
  readonly rule: number
  readonly pattern: PathPattern
}

interface Allowed extends Pattern {
  readonly kind: 'read' | 'write' | 'exec'
}

export function fileGrants(
  policy: CompiledPolicy,
  variables: Variables,
): { readonly rules: readonly LandlockRule[]; readonly inexact: readonly InexactRule[] } {
  const patterns = (name: 'read' | 'write' | 'exec' | 'deny'): readonly Pattern[] =>
    rulesIn(policy, `fs.${name}`).flatMap(({ number, rule }) => {
      const pattern = expand(rule, variables)
      return pattern === undefined ? [] : [{ rule: number, pattern }]
    })
  const denied = patterns('deny')
  // What a denial covers whole is never granted, so both hold.
  const allowed = (['read', 'write', 'exec'] as const)
    .flatMap((kind) => patterns(kind).map((one): Allowed => ({ ...one, kind })))
    .filter(({ pattern }) => !denied.some((deny) => covers(deny.pattern, pattern)))
  return {
    rules: merged(allowed),
    inexact: [
      ...allowed.flatMap((one) => inexactAllowed(one, allowed)),
      ...denied.flatMap((one) => inexactDenied(one, allowed)),
    ],
  }
}

function merged(allowed: readonly Allowed[]): readonly LandlockRule[] {
  const byPath = new Map<string, Allowed[]>()
  for (const one of allowed) {
    const key = `${one.pattern.subtree} ${one.pattern.path}`
    byPath.set(key, [...(byPath.get(key) ?? []), one])
  }
  const rules = [...byPath.values()].map((all): LandlockRule => {
    const { path, subtree } = all[0]!.pattern
    const access = new Set(all.flatMap(accessOf))
    return {
      path,
      subtree,
      access: (Object.keys(fileAccess) as FileAccess[]).filter((name) => access.has(name)),
      rules: [...new Set(all.map(({ rule }) => rule))].sort((a, b) => a - b),
    }
  })
  return sortedByBytes(
    rules.sort((a, b) => Number(a.subtree) - Number(b.subtree)),
    ({ path }) => path,
  )
}

function accessOf({ kind, pattern }: Allowed): readonly FileAccess[] {
  if (kind === 'read') return readAccess
  if (kind === 'exec') return execAccess
  return pattern.subtree ? changeAccess : writeAccess
}

function inexactAllowed(one: Allowed, allowed: readonly Allowed[]): readonly InexactRule[] {
  const { rule, kind, pattern } = one
  const found: InexactRule[] = []
  const looser = (when: 'always' | 'folder', why: string) => found.push({ rule, effect: 'looser', when, why })
  const stricter = (why: string) => found.push({ rule, effect: 'stricter', when: 'always', why })
  if (pattern.subtree && pattern.path === '/') looser('always', 'it grants procfs, too')
  if (!pattern.subtree) looser('folder', 'of a folder it grants all that is below')
  if (kind === 'exec' && !allowed.some((read) => read.kind === 'read' && covers(read.pattern, pattern)))
    looser('always', 'what is executed must be readable')
  if (kind === 'write' && !pattern.subtree) stricter('a file is made and removed by a right on its folder')
  if (kind === 'write' && pattern.subtree && pattern.path !== '/' && !allowed.some((other) => above(other, pattern)))
    stricter('the folder itself is made, moved and removed by a right on the one it is in')
  return found
}

/** Whether a rule lets the folder change that a pattern's own is in. */
function above({ kind, pattern }: Allowed, { path }: PathPattern): boolean {
  return kind === 'write' && pattern.subtree && matchesPath(pattern, path.slice(0, path.lastIndexOf('/')) || '/')
}

function inexactDenied({ rule, pattern }: Pattern, allowed: readonly Allowed[]): readonly InexactRule[] {
  const looser = (when: 'always' | 'folder'): readonly InexactRule[] => [
    { rule, effect: 'looser', when, why: 'it is below what another rule allows' },
  ]
  if (allowed.some((one) => covers(one.pattern, pattern))) return looser('always')
  const below = allowed.some((one) => matchesPath({ ...one.pattern, subtree: true }, pattern.path))
  return below ? looser('folder') : []
}
