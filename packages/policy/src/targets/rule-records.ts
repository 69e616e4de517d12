import ipaddr from 'ipaddr.js'
import type { CompiledPolicy } from '../compile/compiled-policy.js'
import { rulesIn } from '../compile/numbered-rules.js'
import { expand, type Variables } from '../explain/variables.js'
import { sortedByBytes } from '../values/sort-bytes.js'
import type { Target } from '../values/target.js'

/** Bits of what is tried; of a denial all are set. */
const fileOps = { read: 1, write: 2, exec: 4 } as const
const netOps = { connect: 1, bind: 2, sendto: 4 } as const
const everyOp = 7
const protocols = { tcp: 6, udp: 17 } as const // IANA protocol numbers

interface RuleRecord {
  readonly ops: number
  readonly deny: boolean
  readonly rule: number
}

export interface FileRecord extends RuleRecord {
  readonly path: string
  readonly subtree: boolean
}

export interface NetRecord extends RuleRecord {
  readonly protocol: 6 | 17
  /** 0: by name. */
  readonly family: 0 | 4 | 6
  readonly prefix: number
  readonly from: number
  readonly to: number
  /** 16 bytes in network order, an IPv4 address in the first four. */
  readonly address: readonly number[]
  /** In lower case, `*` or `*.` before it as it was written; empty unless by name. */
  readonly name: string
}

export interface UnixRecord extends RuleRecord {
  /** Of an abstract socket its name, without the leading NUL. */
  readonly path: string
  readonly subtree: boolean
  readonly abstract: boolean
}

export interface NameRecord {
  readonly name: string
  readonly rule: number
}

/** Sorted by the bytes of the path, then by rule. A rule whose variable isn't given is left out. */
export function fileRecords(policy: CompiledPolicy, variables: Variables): readonly FileRecord[] {
  const records = (['read', 'write', 'exec', 'deny'] as const).flatMap((name) =>
    rulesIn(policy, `fs.${name}`).flatMap(({ number, rule }): readonly FileRecord[] => {
      const pattern = expand(rule, variables)
      if (pattern === undefined) return []
      const { path, subtree } = pattern
      const ops = name === 'deny' ? everyOp : fileOps[name]
      return [{ path, subtree, ops, deny: name === 'deny', rule: number }]
    }),
  )
  return sortedByBytes(records, ({ path }) => path)
}

/** By rule. */
export function netRecords(policy: CompiledPolicy): readonly NetRecord[] {
  return targets(policy).flatMap(({ target, ...record }) => {
    if (target.protocol === 'unix') return []
    const { from, to } = target.ports
    const peer = target.kind === 'name' ? byName(target.name) : byAddress(target.cidr)
    return [{ ...record, protocol: protocols[target.protocol], from, to, ...peer }]
  })
}

/** By rule. */
export function unixRecords(policy: CompiledPolicy): readonly UnixRecord[] {
  return targets(policy).flatMap(({ target, ...record }): readonly UnixRecord[] => {
    if (target.kind === 'abstract') return [{ ...record, path: target.name, subtree: false, abstract: true }]
    return target.kind === 'unix' ? [{ ...record, path: target.path, subtree: target.subtree, abstract: false }] : []
  })
}

/** What may be resolved, by rule. */
export function nameRecords(policy: CompiledPolicy): readonly NameRecord[] {
  return rulesIn(policy, 'net.dns').map(({ number, rule }) => ({ name: rule.name, rule: number }))
}

function targets(policy: CompiledPolicy): readonly (RuleRecord & { readonly target: Target })[] {
  return (['connect', 'bind', 'sendto', 'deny'] as const).flatMap((name) =>
    rulesIn(policy, `net.${name}`).map(({ number, rule: { target } }) => ({
      target,
      ops: name === 'deny' ? everyOp : netOps[name],
      deny: name === 'deny',
      rule: number,
    })),
  )
}

const noAddress: readonly number[] = new Array<number>(16).fill(0)

function byName(name: string) {
  return { family: 0 as const, prefix: 0, address: noAddress, name }
}

function byAddress(cidr: string) {
  const [address, prefix] = ipaddr.parseCIDR(cidr)
  const bytes = address.toByteArray()
  const family = address.kind() === 'ipv4' ? (4 as const) : (6 as const)
  return { family, prefix, address: [...bytes, ...noAddress].slice(0, 16), name: '' }
}
