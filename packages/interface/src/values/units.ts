/** Bytes in each unit of size. */
export const sizeUnits: Readonly<Record<string, number>> = Object.freeze({
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
})

/** Milliseconds in each unit of time. */
export const timeUnits: Readonly<Record<string, number>> = Object.freeze({ ms: 1, s: 1e3, min: 60e3, h: 3600e3 })

const quantity = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/

/** A quantity as people write it (`256MiB`, `1.5 s`) in the unit that counts 1; `undefined` for what isn't one of these units. */
export function inUnits(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = quantity.exec(text)
  if (match === null || !Object.hasOwn(units, match[2]!)) return undefined
  return Number(match[1]) * units[match[2]!]!
}
