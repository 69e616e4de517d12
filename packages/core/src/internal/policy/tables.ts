import type { CellPlaces } from '@pyisolate/interface'
import type { CompiledPolicy } from '@pyisolate/policy'
import type { PolicyModule } from './policy-module.js'

export interface TableOptions {
  readonly places: CellPlaces
  /** What `$TMP` stands for. */
  readonly scratch: string | undefined
  readonly logOnly: boolean
}

export type KnownTables = WeakMap<CompiledPolicy, Map<string, Uint8Array>>

const forAll: KnownTables = new WeakMap()

/**
 * The bytes that the broker decides by; made once per policy and place.
 * @param own where tables are kept that no other sandbox can use: those with a scratch folder
 */
export function brokerTable(
  policies: PolicyModule,
  policy: CompiledPolicy,
  options: TableOptions,
  own?: KnownTables,
): Uint8Array {
  const { places, scratch, logOnly } = options
  const known = scratch === undefined || own === undefined ? forAll : own
  const tables = known.get(policy) ?? new Map<string, Uint8Array>()
  known.set(policy, tables)
  const { guest, host } = places.stdlib
  const key = `${guest}\0${host}\0${scratch ?? ''}\0${logOnly}`
  let table = tables.get(key)
  if (table === undefined) {
    table = policies.compileBrokerTable(policy, {
      variables: { STDLIB: guest, ...(scratch !== undefined && { TMP: scratch }) },
      views: guest === host ? [] : [places.stdlib],
      logOnly,
    })
    if (scratch === undefined || own !== undefined) tables.set(key, table)
  }
  return table
}
