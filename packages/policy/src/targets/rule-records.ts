import type { KernelFileRule, KernelNetRule, KernelUnixRule } from '@pyisolate/interface'
import type { CompiledPolicy } from '../compile/compiled-policy.js'
import { firstNumber, rulesIn } from '../compile/numbered-rules.js'
import { expand, type Variables } from '../explain/variables.js'
import { networkOf } from '../values/network.js'
import { sortedByBytes } from '../values/sort-bytes.js'
import type { Target } from '../values/target.js'

/** Bits of what is tried; of a denial all are set. */
const fileOps = { read: 1, write: 2, exec: 4 } as const
const netOps = { connect: 1, bind: 2, sendto: 4 } as const
const everyOp = 7
const protocols = { tcp: 6, udp: 17 } as const // IANA protocol numbers

/** `name`: in lower case, `*` or `*.` before it as it was written. */
export type { KernelFileRule as FileRecord, KernelNetRule as NetRecord, KernelUnixRule as UnixRecord }

export interface NameRecord {
  readonly name: string
  readonly rule: number
}

/** Sorted by the bytes of the path, then by rule. A rule whose variable isn't given is left out. */
export function fileRecords(policy: CompiledPolicy, variables: Variables): readonly KernelFileRule[] {
  const records: KernelFileRule[] = []
  for (const name of ['read', 'write', 'exec', 'deny'] as const) {
    const deny = name === 'deny'
    const ops = deny ? everyOp : fileOps[name]
    let number = firstNumber(policy, `fs.${name}`)
    for (const item of policy.fs[name]) {
      const rule = number++
      const pattern = expand(item, variables)
      if (pattern === undefined) continue
      records.push({ path: pattern.path, subtree: pattern.subtree, ops, deny, rule })
    }
  }
  return sortedByBytes(records, ({ path }) => path)
}

/** Made when a policy is compiled, so that no reload of it waits for them. */
const netsOf = new WeakMap<CompiledPolicy, readonly KernelNetRule[]>()

/** By rule. */
export function netRecords(policy: CompiledPolicy): readonly KernelNetRule[] {
  const known = netsOf.get(policy)
  if (known !== undefined) return known
  const records: KernelNetRule[] = []
  // Field by field: a reload waits for this, and spreading objects is what took its time.
  forEachTarget(policy, (target, ops, deny, rule) => {
    if (target.protocol === 'unix') return
    const { family, prefix, address } = target.kind === 'name' ? byName : networkOf(target.cidr)
    const name = target.kind === 'name' ? target.name : ''
    const { from, to } = target.ports
    records.push({ ops, deny, rule, protocol: protocols[target.protocol], from, to, family, prefix, address, name })
  })
  netsOf.set(policy, records)
  return records
}

/** By rule. */
export function unixRecords(policy: CompiledPolicy): readonly KernelUnixRule[] {
  const records: KernelUnixRule[] = []
  forEachTarget(policy, (target, ops, deny, rule) => {
    if (target.protocol !== 'unix') return
    const abstract = target.kind === 'abstract'
    const path = abstract ? target.name : target.path
    records.push({ ops, deny, rule, path, subtree: !abstract && target.subtree, abstract })
  })
  return records
}

/** What may be resolved, by rule. */
export function nameRecords(policy: CompiledPolicy): readonly NameRecord[] {
  return rulesIn(policy, 'net.dns').map(({ number, rule }) => ({ name: rule.name, rule: number }))
}

function forEachTarget(
  policy: CompiledPolicy,
  take: (target: Target, ops: number, deny: boolean, rule: number) => void,
): void {
  for (const name of ['connect', 'bind', 'sendto', 'deny'] as const) {
    const deny = name === 'deny'
    const ops = deny ? everyOp : netOps[name]
    let number = firstNumber(policy, `net.${name}`)
    for (const { target } of policy.net[name]) take(target, ops, deny, number++)
  }
}

const byName = { family: 0, prefix: 0, address: new Array<number>(16).fill(0) } as const
