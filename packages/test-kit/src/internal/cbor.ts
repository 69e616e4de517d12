import { decode, encode } from 'cborg'

/** Plain CBOR for tests: what the wire needs of scalars, arrays and maps with string keys, no more. */
export function toCbor(value: unknown): Uint8Array {
  return encode(value, { float64: true })
}

export function fromCbor(bytes: Uint8Array): unknown {
  return decode(bytes, { allowIndefinite: false, rejectDuplicateMapKeys: true })
}
