import { BpfMisuseError } from '../errors/misuse-error.js'
import { decode, encode, layouts } from './layout.js'

/** So that a packet fits: 64 KiB are the largest that the kernel hands over at once, headers beside it. */
const leastBurst = 128 << 10

/**
 * struct pyi_rate; `undefined`: no limit.
 * @param rate bytes a second
 * @param burst bytes that may pass at once after silence; default: a tenth of a second's, at least 128 KiB either way
 * @throws BpfMisuseError
 */
export function rateOf(rate: number | undefined, burst?: number): Buffer {
  if (rate === undefined) return encode('pyi_rate', {})
  if (!Number.isSafeInteger(rate) || rate < 1) throw new BpfMisuseError(`${rate} bytes a second: expected 1 or more`)
  const bytes = Math.max(leastBurst, burst ?? rate / 10)
  return encode('pyi_rate', {
    bytes_per_second: rate,
    burst_ns: (BigInt(Math.ceil(bytes)) * 1_000_000_000n) / BigInt(rate),
  })
}

export interface Usage {
  readonly bytes: bigint
  readonly dropped: bigint
}

/** A struct pyi_usage in the field of another struct. */
export function usageAt(record: Buffer, offset: number): Usage {
  const usage = record.subarray(offset, offset + layouts.pyi_usage.bytes)
  return { bytes: decode('pyi_usage', usage, 'bytes'), dropped: decode('pyi_usage', usage, 'dropped') }
}
