import type { BpfPolicy, Unenforced } from '../policy.js'
import { encode, mostNetRules, noRule, words } from './layout.js'

/** struct pyi_net_rule of each rule by address. */
export function netValues(policy: BpfPolicy): { values: Buffer[]; unenforced: Unenforced[] } {
  const values: Buffer[] = []
  const unenforced: Unenforced[] = []
  for (const { rule, deny, ops, protocol, family, prefix, from, to, address, name } of policy.nets) {
    if (family === 0) unenforced.push({ rule, deny, why: 'by-name', what: name })
    else if (values.length === mostNetRules)
      unenforced.push({ rule, deny, why: 'too-many', what: `${mostNetRules} rules` })
    else {
      const mask = address.map((_, i) => 0xff & ~(0xff >> Math.min(8, Math.max(0, prefix - i * 8))))
      values.push(
        encode('pyi_net_rule', {
          address: Buffer.from(address.map((byte, i) => byte & mask[i]!)),
          mask: Buffer.from(mask),
          ops,
          deny: deny ? 1 : 0,
          protocol,
          family,
          port_from: from,
          port_to: to,
          rule,
        }),
      )
    }
  }
  return { values, unenforced }
}

/** By name, struct pyi_abstract_rules. */
export function abstractValues(policy: BpfPolicy): ReadonlyMap<string, Buffer> {
  const allow = new Map<string, number[]>()
  for (const { abstract, path, ops, deny, rule } of policy.unixes) {
    if (!abstract) continue
    const columns = allow.get(path) ?? [noRule, noRule, noRule, noRule]
    allow.set(path, columns)
    for (const column of deny ? [3] : [0, 1, 2].filter((bit) => ops & (1 << bit)))
      columns[column] = Math.min(columns[column]!, rule)
  }
  return new Map([...allow].map(([name, columns]) => [name, words(...columns)]))
}

/** struct pyi_abstract_key; a name that no socket can have has none. */
export function abstractKey(slot: number, name: string): Buffer | undefined {
  const bytes = Buffer.from(name)
  // sun_path holds 108 bytes, of which an abstract name's first is NUL (unix(7)).
  return bytes.length > 107 ? undefined : encode('pyi_abstract_key', { slot, bytes: bytes.length, name: bytes })
}
