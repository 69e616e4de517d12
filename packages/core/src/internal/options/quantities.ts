import { inUnits, sizeUnits, timeUnits } from '@pyisolate/interface'
import { type Check, expected } from './check.js'

/** What Node's timers can wait for. */
const longest = 2 ** 31 - 1

function read(value: unknown, units: Readonly<Record<string, number>>): unknown {
  return typeof value === 'string' ? (inUnits(value, units) ?? value) : value
}

/** Bytes, as an integer or as text with a unit. */
export function size(min: number, max: number): Check<number> {
  return (value, at) => {
    const bytes = read(value, sizeUnits)
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
  const ms = read(value, timeUnits)
  if (ms === Number.POSITIVE_INFINITY) return ms
  if (typeof ms === 'number' && ms > 0 && ms <= longest) return ms
  return expected(
    at,
    `a time above 0 and up to ${longest} ms, such as 500 or '30s' (${Object.keys(timeUnits).join(', ')}), or Infinity`,
    value,
  )
}
