const widest = 120

/** JSON, indented where a line would be too long: a record is one line, and a list of them one each. */
export function readableJson(value: unknown, indent = ''): string {
  const line = oneLine(value)
  if (indent.length + line.length <= widest || typeof value !== 'object' || value === null) return line
  const inside = `${indent}  `
  if (Array.isArray(value))
    return `[\n${value.map((item) => inside + readableJson(item, inside)).join(',\n')}\n${indent}]`
  const entries = present(value).map(([key, item]) => `${inside}${JSON.stringify(key)}: ${readableJson(item, inside)}`)
  return `{\n${entries.join(',\n')}\n${indent}}`
}

function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = present(value).map(([key, item]) => `${JSON.stringify(key)}: ${oneLine(item)}`)
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
}

/** As JSON.stringify has it, what is undefined isn't there. */
function present(value: object): readonly [string, unknown][] {
  return Object.entries(value).filter(([, item]) => item !== undefined)
}
