/** The CBOR tags in use (RFC 8949 section 3.4, RFC 8746, and 258 of the IANA registry); every other one is refused. */
export const Tag = { date: 1, positiveBignum: 2, negativeBignum: 3, set: 258 } as const

type TypedArrayConstructor = {
  new (buffer: ArrayBuffer): ArrayBufferView
  readonly BYTES_PER_ELEMENT: number
}

/** RFC 8746 section 2.1, little-endian; these are the native layouts of every platform Node's 64-bit Linux builds run on. */
export const typedArrayTags: ReadonlyMap<number, TypedArrayConstructor> = new Map<number, TypedArrayConstructor>([
  [64, Uint8Array],
  [69, Uint16Array],
  [70, Uint32Array],
  [71, BigUint64Array],
  [72, Int8Array],
  [77, Int16Array],
  [78, Int32Array],
  [79, BigInt64Array],
  [85, Float32Array],
  [86, Float64Array],
])
