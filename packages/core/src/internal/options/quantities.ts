import { type Check, expected } from './check.js'

const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
}
const timeUnits: Readonly<Record<string, number>> = { ms: 1, s: 1e3, min: 60e3, h: 3600e3 }
const quantity = /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/

/** What Node's timers can wait for. */
const longest = 2 ** 31 - 1

function inUnits(value: unknown, units: Readonly<Record<string, number>>): unknown {
  const match = typeof value === 'string' ? quantity.exec(value) : null
  const unit = match !== null && Object.hasOwn(units, match[2]!) ? units[match[2]!] : undefined
  return unit === undefined ? value : Number(match![1]) * unit
}

/** Bytes, as an integer or as text with a unit. */
export function size(min: number, max: number): Check<number> {
  return (value, at) => {
    const bytes = inUnits(value, sizeUnits)
    if (Number.isInteger(bytes) && (bytes as number) >= min && (bytes as number) <= max) return bytes as number
    return expected(
      at,
      `a size from ${min} to ${max} bytes, such as 268435456 or '256MiB' (${Object.keys(sizeUnits).join(', ')})`,
      value,
    )
  }
}

/** Milliseconds, as a number or as text with a unit; `Infinity` for no limit. */
export const duration: Check<number> = (value, at) => {
  const ms = inUnits(value, timeUnits)
  if (ms === Number.POSITIVE_INFINITY) return ms
  if (typeof ms === 'number' && ms > 0 && ms <= longest) return ms
  return expected(
    at,
    `a time above 0 and up to ${longest} ms, such as 500 or '30s' (${Object.keys(timeUnits).join(', ')}), or Infinity`,
    value,
  )
}
