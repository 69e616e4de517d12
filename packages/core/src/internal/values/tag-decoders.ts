import { Buffer } from 'node:buffer'
import type { TagDecoder } from 'cborg'
import { malformed } from './malformed-error.js'
import { Tag, typedArrayTags } from './tags.js'

const lastDate = 8.64e15 // milliseconds from the epoch: ECMA-262, "Time Values and Time Range"

function toDate(seconds: unknown): Date {
  const ms = Number(seconds) * 1000
  if (!(Math.abs(ms) <= lastDate)) malformed('a date out of range')
  return new Date(Math.floor(withoutNoise(ms)))
}

/**
 * 1.001 s times 1000 is 1000.9999999999999, which is not a millisecond less; 999.999 is, since Python's
 * microseconds are cut off. What lies nearer than half of one is the noise of two roundings.
 */
function withoutNoise(ms: number): number {
  const nearest = Math.round(ms)
  const noise = Math.max(5e-4, Math.abs(ms) * Number.EPSILON)
  return Math.abs(ms - nearest) < noise ? nearest : ms
}

/** Linear in the size, unlike shifting byte by byte. */
function toBigInt(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n
  return BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`)
}

/** One integer, one type: what fits a number is a number, however it was sent. */
function normalize(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** For `validate`d bytes: each tag's content has the type it must have. */
export const tagDecoders: Record<number, TagDecoder> = {
  [Tag.date]: (content) => toDate(content()),
  [Tag.positiveBignum]: (content) => normalize(toBigInt(content() as Uint8Array)),
  [Tag.negativeBignum]: (content) => normalize(-1n - toBigInt(content() as Uint8Array)),
  [Tag.set]: (content) => new Set(content() as unknown[]),
}

for (const [tag, TypedArray] of typedArrayTags) {
  // A copy, because the bytes in the frame are aligned to nothing.
  tagDecoders[tag] = (content) => new TypedArray((content() as Uint8Array).slice().buffer as ArrayBuffer)
}
