/** The typed arrays that cross as Python's `array.array`, and back from any 1-D contiguous memoryview. */
export type TypedArrayValue =
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array

/**
 * What crosses between JavaScript and Python, by copy (CBOR, RFC 8949):
 *
 * | JavaScript | Python |
 * |---|---|
 * | `null`, and `undefined` on the way in | `None` |
 * | `boolean` | `bool` |
 * | integral `number` within ±(2^53 − 1), else `bigint` | `int` of any size |
 * | any other `number`, -0 included | `float` |
 * | well-formed `string` | `str` |
 * | `Uint8Array` (`Buffer`, `ArrayBuffer`, `DataView` on the way in) | `bytes` |
 * | array | `list`; a `tuple` becomes an array, too |
 * | plain object | `dict` whose keys are all `str` |
 * | `Map` | any other `dict`; a `Map` whose keys are all strings comes back as a plain object |
 * | `Set` | `set`; a `frozenset` becomes a `Set`, too |
 * | `Date` | aware `datetime`, a naive one being taken as UTC; microseconds are cut on the way out |
 * | other typed arrays | `array.array` |
 */
export type Value =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | TypedArrayValue
  | ArrayBuffer
  | DataView
  | Date
  | readonly Value[]
  | ReadonlySet<Value>
  | ReadonlyMap<Value, Value>
  | { readonly [key: string]: Value }
