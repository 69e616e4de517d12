/** Which files a rule is about. */
export interface PathPattern {
  /** Absolute and normal; may start with a variable, `$STDLIB/...`. */
  readonly path: string
  /** `path` and all below it (`/data/**`), or only itself. */
  readonly subtree: boolean
}

/** What a path may start with; each stands for a folder that is known when a sandbox starts. */
export const variables = ['$STDLIB', '$TMP'] as const

/** Bytes of a path that Linux takes (PATH_MAX, with its NUL). */
const longestPath = 4095

/** What is wrong with it, in words; or the pattern. */
export function readPath(text: string): PathPattern | { readonly wrong: string } {
  const variable = /^\$\w*/.exec(text)?.[0]
  if (variable !== undefined && !(variables as readonly string[]).includes(variable))
    return { wrong: `the variable ${variable} is not known` }
  const rest = variable === undefined ? text : text.slice(variable.length)
  if (variable !== undefined && rest !== '' && !rest.startsWith('/'))
    return { wrong: `a variable is a whole folder: ${variable}/...` }
  const subtree = rest.endsWith('/**')
  const plain = subtree ? rest.slice(0, -'/**'.length) : rest
  // Of what stands for a folder, and of /**, nothing may be left; of a plain path there is at least the root.
  const wrong = plain === '' && (subtree || variable !== undefined) ? undefined : pathFault(plain)
  if (wrong !== undefined) return { wrong }
  if (plain.includes('*')) return { wrong: 'a * other than /** at the end' }
  if (plain === '/' && (subtree || variable !== undefined)) return { wrong: 'an empty segment (//, or a / at the end)' }
  const path = `${variable ?? ''}${plain}`
  return { path: path === '' ? '/' : path, subtree }
}

/** Why a path is not absolute and normal, in words, if it isn't: the one check of rules and of operations. */
export function pathFault(path: string): string | undefined {
  if (path.includes('\0')) return 'a NUL character in a path'
  if (/\p{Surrogate}/u.test(path)) return 'half a character (a lone surrogate) in a path'
  if (!path.startsWith('/')) return `${JSON.stringify(path)} is not absolute`
  if (Buffer.byteLength(path) > longestPath) return `a path of more than ${longestPath} bytes`
  for (const segment of path === '/' ? [] : path.split('/').slice(1)) {
    if (segment === '') return 'an empty segment (//, or a / at the end)'
    if (segment === '.' || segment === '..') return `${segment} in a path`
  }
  return undefined
}

/** As a policy says it. */
export function formatPath({ path, subtree }: PathPattern): string {
  if (!subtree) return path
  return path === '/' ? '/**' : `${path}/**`
}

/** procfs holds every other process, memory and descriptors included: a guest reaches none of it, whatever a rule says. */
export function isProc(path: string): boolean {
  return path === '/proc' || path.startsWith('/proc/')
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
