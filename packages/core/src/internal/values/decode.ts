import { decode as cborgDecode } from 'cborg'
import type { Value } from '../../value.js'
import type { Budget } from './budget.js'
import { MalformedError, malformed } from './malformed-error.js'
import { tagDecoders } from './tag-decoders.js'
import { type Validated, validate } from './validate.js'

const options = {
  allowIndefinite: false,
  coerceUndefinedToNull: true,
  rejectDuplicateMapKeys: true,
  strict: true,
  tags: tagDecoders,
}
/** RFC 8949, 3.3: simple value 22. */
const NONE = 0xf6
const optionsForOtherKeys = { ...options, useMaps: true }

/**
 * Bytes from the other side to a value that owns its memory.
 * @throws MalformedError
 */
export function decodeValue(bytes: Uint8Array, budget: Budget): Value {
  if (bytes.length === 1 && bytes[0] === NONE) return null // what every `exec` answers
  return decodeValidated(bytes, validate(bytes, budget))
}

/**
 * The second half of `decodeValue`, for bytes that wait in between.
 * @throws MalformedError for the little that `validate` leaves: a date out of range, the same key twice as text or as a number
 */
export function decodeValidated(bytes: Uint8Array, { otherKeys }: Validated): Value {
  try {
    return otherKeys ? withPlainObjects(cborgDecode(bytes, optionsForOtherKeys)) : cborgDecode(bytes, options)
  } catch (error) {
    if (error instanceof MalformedError) throw error
    return malformed(error instanceof Error ? error.message : String(error))
  }
}

/** Turns the maps whose keys are all strings into plain objects; depth was bounded by `validate`. */
function withPlainObjects(value: Value): Value {
  if (Array.isArray(value)) return value.map(withPlainObjects)
  if (value instanceof Set) return new Set(Array.from(value as Set<Value>, withPlainObjects))
  if (!(value instanceof Map)) return value
  const entries = Array.from(value as Map<Value, Value>, ([key, item]): [Value, Value] => [key, withPlainObjects(item)])
  // fromEntries defines own properties: a key `__proto__` is one like any other.
  return entries.every((entry): entry is [string, Value] => typeof entry[0] === 'string')
    ? Object.fromEntries(entries)
    : new Map(entries)
}
