import { createHash } from 'node:crypto'
import { type Place, PolicyError } from '../errors/policy-error.js'
import type { Contract } from '../schema/contract.js'
import type { FsSection, NamesSection, NetSection, PolicyDocument } from '../schema/policy-document.js'
import type { CompiledPolicy } from './compiled-policy.js'
import { contractPaths } from './contract-paths.js'
import { refuseContradictions } from './contradictions.js'

export interface ReadDocument {
  readonly file: string
  readonly document: Partial<PolicyDocument>
}

const fsKeys = ['read', 'write', 'exec', 'deny'] as const
const netKeys = ['connect', 'bind', 'sendto', 'deny', 'dns'] as const
const nameKeys = ['allow', 'deny'] as const

/**
 * One policy of documents, parents before children. Rules add up, so that nobody who extends a policy can take a denial
 * out of it; of limits, names and enforcement the last one holds.
 * @throws PolicyError
 */
export function compileDocuments(documents: readonly ReadDocument[]): CompiledPolicy {
  for (const [at, { document }] of documents.entries()) {
    refuseContradictions(
      document,
      documents.slice(0, at + 1).map((one) => one.document),
    )
  }
  const all = documents.map(({ document }) => document)
  const last = <K extends keyof PolicyDocument>(key: K, otherwise: PolicyDocument[K]): PolicyDocument[K] =>
    all.findLast((one) => one[key] !== undefined)?.[key] ?? otherwise
  const demands = {
    enforcement: last('enforcement', 'strict'),
    fs: joined<FsSection>(
      all.map(({ fs }) => fs),
      fsKeys,
    ),
    net: joined<NetSection>(
      all.map(({ net }) => net),
      netKeys,
    ),
    syscalls: {
      profile: 'default' as const,
      ...joined<NamesSection>(
        all.map(({ syscalls }) => syscalls),
        nameKeys,
      ),
    },
    imports: joined<NamesSection>(
      all.map(({ imports }) => imports),
      nameKeys,
    ),
    limits: Object.assign({}, ...all.map(({ limits }) => limits?.values)) as CompiledPolicy['limits'],
    contracts: joinedContracts(all),
  }
  const own = documents.at(-1)!
  return {
    schema: 1,
    name: own.document.name ?? own.file,
    description: own.document.description ?? '',
    ...demands,
    limitPlaces: Object.assign({}, ...all.map(({ limits }) => limits?.places)) as CompiledPolicy['limitPlaces'],
    sources: documents.map(({ file }) => file),
    digest: digestOf(demands),
  }
}

/** No name twice, also of those that are extended: events and errors call a contract by it. @throws PolicyError */
function joinedContracts(all: readonly Partial<PolicyDocument>[]): readonly Contract[] {
  const contracts = all.flatMap(({ contracts = [] }) => contracts)
  for (const [at, { name, place }] of contracts.entries()) {
    const first = contracts.slice(0, at).find((other) => other.name === name)
    if (first === undefined) continue
    throw new PolicyError('duplicate-key', place, `a second contract ${JSON.stringify(name)}`, {
      expected: `a name of its own; the first is at ${first.place.file}:${first.place.line}`,
    })
  }
  contractPaths(contracts)
  return contracts
}

function joined<S extends { readonly [K in keyof S]: readonly unknown[] }>(
  sections: readonly (Partial<S> | undefined)[],
  keys: readonly (keyof S)[],
): S {
  const result: Partial<Record<keyof S, unknown[]>> = {}
  for (const key of keys) result[key] = sections.flatMap((section) => (section?.[key] ?? []) as unknown[])
  return result as unknown as S
}

/** Places, the order of rules and rules that are there twice make no difference: deny wins wherever it stands. */
function digestOf(demands: unknown): string {
  return createHash('sha256').update(canonical(demands)).digest('hex')
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${[...new Set(value.map(canonical))].sort().join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value as Record<string, unknown> & { place?: Place }).filter(
    ([key]) => key !== 'place',
  )
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`)
    .join(',')}}`
}
