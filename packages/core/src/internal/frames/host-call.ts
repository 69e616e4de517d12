import type { Value } from '../../value.js'
import { type Fields, field, list, record, text } from './shapes.js'

export interface HostCall {
  readonly name: string
  readonly args: readonly Value[]
  readonly kwargs: Fields
}

/** @throws MalformedError */
export function readHostCall(value: Value, items: number): HostCall {
  const fields = record(value, 'a host call')
  return {
    name: text(field(fields, 'name'), "a host call's name", 256),
    args: list(field(fields, 'args'), "a host call's args", items),
    kwargs: record(field(fields, 'kwargs'), "a host call's kwargs"),
  }
}
