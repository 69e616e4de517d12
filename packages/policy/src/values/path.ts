/** Which files a rule is about. */
export interface PathPattern {
  /** Absolute and normal; may start with a variable, `$STDLIB/...`. */
  readonly path: string
  /** `path` and all below it (`/data/**`), or only itself. */
  readonly subtree: boolean
}

/** What a path may start with; each stands for a folder that is known when a sandbox starts. */
export const variables = ['$STDLIB', '$TMP'] as const

/** What is wrong with it, in words; or the pattern. */
export function readPath(text: string): PathPattern | { readonly wrong: string } {
  if (text.includes('\0')) return { wrong: 'a NUL character in a path' }
  const variable = /^\$\w*/.exec(text)?.[0]
  if (variable !== undefined && !(variables as readonly string[]).includes(variable))
    return { wrong: `the variable ${variable} is not known` }
  const rest = variable === undefined ? text : text.slice(variable.length)
  if (variable === undefined && !rest.startsWith('/')) return { wrong: `${JSON.stringify(text)} is not absolute` }
  if (rest !== '' && !rest.startsWith('/')) return { wrong: `a variable is a whole folder: ${variable}/...` }
  const segments = rest.split('/').slice(1)
  const subtree = segments.at(-1) === '**'
  if (subtree) segments.pop()
  if (rest === '/') segments.pop()
  for (const segment of segments) {
    if (segment === '') return { wrong: 'an empty segment (//, or a / at the end)' }
    if (segment === '.' || segment === '..') return { wrong: `${segment} in a path` }
    if (segment.includes('*')) return { wrong: 'a * other than /** at the end' }
  }
  const path = `${variable ?? ''}${segments.map((segment) => `/${segment}`).join('')}`
  return { path: path === '' ? '/' : path, subtree }
}

/** Whether every file of `inner` is one of `outer`. */
export function covers(outer: PathPattern, inner: PathPattern): boolean {
  if (!outer.subtree) return !inner.subtree && outer.path === inner.path
  return matchesPath(outer, inner.path)
}

/** `path`: absolute and normal. */
export function matchesPath(pattern: PathPattern, path: string): boolean {
  if (pattern.path === path) return true
  if (!pattern.subtree) return false
  return pattern.path === '/' || path.startsWith(`${pattern.path}/`)
}
