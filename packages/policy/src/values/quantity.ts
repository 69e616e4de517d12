/** Quantities as people write them: `256MiB`, `1.5 GB`, `30s`, `50%`, `10MiB/s`. Each reader gives undefined for what isn't one. */
const bytes: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}
const milliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1e3, min: 60e3, h: 3600e3 }
const shape = /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/

export const sizeWords = `a size such as 1048576 or '256MiB' (${Object.keys(bytes).join(', ')})`
export const timeWords = `a time such as '500ms' or '30s' (${Object.keys(milliseconds).join(', ')})`

function inUnits(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = shape.exec(text)
  if (match === null || !Object.hasOwn(units, match[2]!)) return undefined
  return Number(match[1]) * units[match[2]!]!
}

/** Bytes; a fraction of a byte is none. */
export function readSize(text: string): number | undefined {
  const size = /^\d+$/.test(text) ? Number(text) : inUnits(text, bytes)
  return size !== undefined && Number.isSafeInteger(size) ? size : undefined
}

/** Milliseconds; a unit is needed, as a bare number could be anything. */
export function readTime(text: string): number | undefined {
  return inUnits(text, milliseconds)
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
