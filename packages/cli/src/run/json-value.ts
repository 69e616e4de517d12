/**
 * A value from a guest as JSON text. What JSON has no word for is an object with one key that starts with `$`;
 * a dict that looks like one is written as `$map`, so that nothing is ambiguous.
 */
export function jsonOf(value: unknown): string {
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? String(value) : tagged('float', floatName(value))
    case 'bigint':
      return value === BigInt.asIntN(53, value) ? String(value) : tagged('int', String(value))
    case 'object':
      return value === null ? 'null' : ofObject(value)
    default:
      return 'null'
  }
}

function ofObject(value: object): string {
  if (Array.isArray(value)) return list(value)
  if (value instanceof Uint8Array) return tagged('bytes', Buffer.from(value).toString('base64'))
  if (ArrayBuffer.isView(value))
    return `{"$array":${list(value as unknown as Iterable<unknown>)},"type":${arrayType(value)}}`
  if (value instanceof Date) return tagged('date', value.toISOString())
  if (value instanceof Set) return `{"$set":${list(value)}}`
  if (value instanceof Map) return map(value)
  const entries = Object.entries(value)
  if (entries.some(([key]) => key.startsWith('$'))) return map(entries)
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${jsonOf(item)}`).join(',')}}`
}

function list(items: Iterable<unknown>): string {
  return `[${Array.from(items, jsonOf).join(',')}]`
}

function map(entries: Iterable<readonly [unknown, unknown]>): string {
  return `{"$map":[${Array.from(entries, ([key, item]) => `[${jsonOf(key)},${jsonOf(item)}]`).join(',')}]}`
}

function tagged(name: string, text: string): string {
  return `{"$${name}":${JSON.stringify(text)}}`
}

/** As Python spells them. */
function floatName(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  return value === 0 ? '-0.0' : value > 0 ? 'inf' : '-inf'
}

function arrayType(value: ArrayBufferView): string {
  return JSON.stringify(value.constructor.name.replace(/^Big|Array$/g, '').toLowerCase())
}
