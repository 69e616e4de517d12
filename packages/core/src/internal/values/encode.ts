import { encode as cborgEncode } from 'cborg'
import { ValueEncodingError } from '../../errors/value-encoding-error.js'
import type { Budget } from './budget.js'
import { inspectValue } from './inspect.js'
import { typeEncoders } from './type-encoders.js'

// Without a sorter, maps keep the order of their keys, as a dict does.
const options = { float64: true, typeEncoders, mapSorter: undefined as never }

/**
 * A value to bytes. They are the caller's: nothing in them is shared with the value.
 * @param root what a path in an error starts with
 * @throws ValueEncodingError
 */
export function encodeValue(value: unknown, budget: Budget, root = '$'): Uint8Array {
  inspectValue(value, budget, root)
  const bytes = cborgEncode(value, options)
  if (bytes.length > budget.bytes) {
    throw new ValueEncodingError(root, `the whole takes ${bytes.length} bytes; ${budget.bytes} are allowed`)
  }
  return bytes
}
