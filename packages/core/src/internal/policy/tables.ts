import type { CellPlaces } from '@pyisolate/interface'
import type { CompiledPolicy } from '@pyisolate/policy'
import type { PolicyModule } from './policy-module.js'

export interface TableOptions {
  readonly places: CellPlaces
  /** What `$TMP` stands for. */
  readonly scratch: string | undefined
  readonly logOnly: boolean
}

const known = new WeakMap<CompiledPolicy, Map<string, Uint8Array>>()

/** The bytes that the broker decides by; made once per policy and place. */
export function brokerTable(policies: PolicyModule, policy: CompiledPolicy, options: TableOptions): Uint8Array {
  const { places, scratch, logOnly } = options
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
    // A scratch folder is one sandbox's: such tables are not kept for others.
    if (scratch === undefined) tables.set(key, table)
  }
  return table
}
