import { inUnits, sizeUnits, timeUnits } from '@pyisolate/interface'

/** Quantities as people write them: `256MiB`, `1.5 GB`, `30s`, `50%`, `10MiB/s`. Each reader gives undefined for what isn't one. */
export const sizeWords = `a size such as 1048576 or '256MiB' (${Object.keys(sizeUnits).join(', ')})`
export const timeWords = `a time such as '500ms' or '30s' (${Object.keys(timeUnits).join(', ')})`

/** Bytes; a fraction of a byte is none. */
export function readSize(text: string): number | undefined {
  const size = /^\d+$/.test(text) ? Number(text) : inUnits(text, sizeUnits)
  return size !== undefined && Number.isSafeInteger(size) ? size : undefined
}

/** Milliseconds; a unit is needed, as a bare number could be anything. */
export function readTime(text: string): number | undefined {
  return inUnits(text, timeUnits)
}

/** Bytes a second. */
export function readRate(text: string): number | undefined {
  return text.endsWith('/s') ? readSize(text.slice(0, -2).trimEnd()) : undefined
}

/** Of one processor: `50%` is 0.5, `200%` two of them. */
export function readShare(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?%$/.exec(text)
  const share = match === null ? 0 : Number(match[1]) / 100
  return share > 0 ? share : undefined
}

export function readCount(text: string): number | undefined {
  const count = /^\d+$/.test(text) ? Number(text) : undefined
  return count !== undefined && Number.isSafeInteger(count) ? count : undefined
}
