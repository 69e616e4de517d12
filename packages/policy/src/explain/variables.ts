import type { PathPattern } from '../values/path.js'

/** What `$STDLIB` and `$TMP` stand for in a sandbox, each absolute and normal; a rule on one that isn't given fits nothing. */
export type Variables = Readonly<Partial<Record<'STDLIB' | 'TMP', string>>>

/** A pattern with its variable replaced. */
export function expand(pattern: PathPattern, variables: Variables): PathPattern | undefined {
  if (!pattern.path.startsWith('$')) return pattern
  const end = pattern.path.indexOf('/')
  const variable = end < 0 ? pattern.path : pattern.path.slice(0, end)
  const folder = variables[variable.slice(1) as keyof Variables]
  if (folder === undefined) return undefined
  const path = `${folder === '/' ? '' : folder}${end < 0 ? '' : pattern.path.slice(end)}`
  return { path: path === '' ? '/' : path, subtree: pattern.subtree }
}
