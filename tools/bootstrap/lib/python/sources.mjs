import fs from 'node:fs'
import path from 'node:path'

/**
 * The releases whose CPython 3.13 source we take, in order of preference. Only names of suites: which host
 * serves them, and which key signs them, comes from this machine's own apt configuration.
 */
const SUITES = {
  debian: ['trixie', 'sid'],
  ubuntu: ['questing', 'plucky', 'resolute'],
}

export function candidateSuites(release) {
  const family = [release.ID, ...(release.ID_LIKE ?? '').split(' ')].find((id) => Object.hasOwn(SUITES, id))
  return family ? SUITES[family] : []
}

function parseDeb822(text) {
  return text
    .split(/\n\s*\n/)
    .map((paragraph) => {
      const fields = {}
      let last
      for (const line of paragraph.split('\n')) {
        if (/^\s*#/.test(line)) continue
        const head = /^([A-Za-z-]+):\s*(.*)$/.exec(line)
        if (head) {
          last = head[1].toLowerCase()
          fields[last] = head[2].trim()
        } else if (last && /^\s/.test(line)) {
          fields[last] += `\n${line}` // A continued field: an inline Signed-By key, for one.
        }
      }
      return fields
    })
    .filter((fields) => fields.uris && fields.suites && fields.enabled?.toLowerCase() !== 'no')
}

function parseOneLine(text) {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb(?:-src)?\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line)
    if (!match) return []
    const [, options = '', uris, suites, components] = match
    const signedBy = /signed-by=(\S+)/i.exec(options)?.[1]
    return [{ uris, suites, components: components.trim(), ...(signedBy && { 'signed-by': signedBy }) }]
  })
}

export function readMachineSources(folder = '/etc/apt') {
  const read = (file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '')
  const parts = path.join(folder, 'sources.list.d')
  const names = fs.existsSync(parts) ? fs.readdirSync(parts).sort() : []
  return [
    ...parseOneLine(read(path.join(folder, 'sources.list'))),
    ...names.filter((name) => name.endsWith('.list')).flatMap((name) => parseOneLine(read(path.join(parts, name)))),
    ...names.filter((name) => name.endsWith('.sources')).flatMap((name) => parseDeb822(read(path.join(parts, name)))),
  ]
}

/**
 * The distribution's own entries, turned into source entries (or, with `type` deb, binary ones) of another suite. Pockets (-security, -updates)
 * are kept where the machine has them: CPython's security fixes arrive there.
 */
export function deriveSources(entries, codename, suite, type = 'deb-src') {
  const aliases = [codename, 'stable', 'testing', 'unstable']
  const derived = new Map()
  for (const entry of entries) {
    const components = entry.components?.split(/\s+/) ?? []
    if (!components.includes('main')) continue
    for (const own of entry.suites.split(/\s+/)) {
      const alias = aliases.find((name) => own === name || own.startsWith(`${name}-`))
      const pocket = alias === undefined ? undefined : own.slice(alias.length)
      if (!['', '-security', '-updates'].includes(pocket)) continue
      // sid has no pockets.
      if (suite === 'sid' && pocket !== '') continue
      const wanted = components.includes('universe') ? 'main universe' : 'main'
      const lines = [`Types: ${type}`, `URIs: ${entry.uris}`, `Suites: ${suite}${pocket}`, `Components: ${wanted}`]
      if (entry['signed-by']) lines.push(`Signed-By: ${entry['signed-by']}`)
      const text = lines.join('\n')
      derived.set(text, text)
    }
  }
  return [...derived.values()].join('\n\n') + (derived.size > 0 ? '\n' : '')
}
