import type { Denial } from '@pyisolate/core'

type Section = 'fs.read' | 'fs.write' | 'net.connect' | 'net.bind' | 'net.sendto' | 'net.dns'

const sections: Partial<Record<Denial['operation'], Section>> = {
  read: 'fs.read',
  write: 'fs.write',
  connect: 'net.connect',
  bind: 'net.bind',
  sendto: 'net.sendto',
  resolve: 'net.dns',
}

export interface LearnedPlaces {
  /** What the sandbox saw as its standard library, and as its scratch folder. */
  readonly stdlib: string
  readonly scratch: string | undefined
}

/** The least policy that allows what was seen: exact files, addresses and names; nothing is guessed. */
export class LearnedPolicy {
  readonly #rules = new Map<Section, Set<string>>()
  readonly #never = new Set<string>()

  constructor(private readonly places: LearnedPlaces) {}

  see({ operation, object, name }: Denial): void {
    const section = sections[operation]
    if (section === undefined) return
    const rule = section.startsWith('fs.') ? this.#path(object) : target(object, name)
    if (rule === '/proc' || rule.startsWith('/proc/')) this.#never.add(object)
    else if (rule !== '$STDLIB/**') this.#rules.set(section, (this.#rules.get(section) ?? new Set()).add(rule))
  }

  /** As YAML. */
  toString(): string {
    const lines = ['version: 1', 'name: learned', 'extends: stdlib.readonly']
    for (const group of ['fs', 'net']) {
      const keys = [...this.#rules.keys()].filter((section) => section.startsWith(`${group}.`)).sort()
      if (keys.length > 0) lines.push(`${group}:`)
      for (const key of keys) {
        lines.push(`  ${key.slice(group.length + 1)}:`)
        for (const rule of [...this.#rules.get(key)!].sort()) lines.push(`    - ${quoted(rule)}`)
      }
    }
    for (const path of this.#never) lines.push(`# ${quoted(path)} was used; no policy allows it`)
    return `${lines.join('\n')}\n`
  }

  #path(path: string): string {
    const { stdlib, scratch } = this.places
    if (path === stdlib || path.startsWith(`${stdlib}/`)) return '$STDLIB/**'
    if (scratch !== undefined && (path === scratch || path.startsWith(`${scratch}/`))) return '$TMP/**'
    return path
  }
}

/** By name if the program came by it: what it leads to may be another address tomorrow. */
function target(object: string, name: string | undefined): string {
  if (name === undefined) return object
  return object.replace(/^(\w+:\/\/).*(:\d+)$/, `$1${name}$2`)
}

/** JSON's texts are YAML's, too (YAML 1.2.2, 1.3). */
function quoted(text: string): string {
  return /^[\w/$.-]+$/.test(text) ? text : JSON.stringify(text)
}
