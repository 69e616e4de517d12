import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { layouts } from '../src/internal/layout.js'
import { structsOf } from './btf.js'
import { buildFolder, objects } from './objects.js'

/** `struct field` → `[offset, bytes]`; the field `-` is the whole. */
type Places = ReadonlyMap<string, readonly [offset: number, bytes: number]>

const typescript: Places = new Map(
  Object.entries(layouts).flatMap(([name, { bytes, fields }]) => [
    [`${name} -`, [0, bytes]] as const,
    ...Object.entries(fields).map(([field, place]) => [`${name} ${field}`, place] as const),
  ]),
)

const cpp: Places = new Map(
  execFileSync(join(buildFolder, 'pyisolate-layout'), { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => {
      const [name, field, offset, bytes] = line.split(' ')
      return [`${name} ${field}`, [Number(offset), Number(bytes)]]
    }),
)

function btf(object: string): Places {
  const places = new Map<string, readonly [number, number]>()
  for (const [name, { bytes, members }] of structsOf(join(buildFolder, object))) {
    if (!Object.hasOwn(layouts, name)) continue
    places.set(`${name} -`, [0, bytes])
    for (const { name: field, offset, bytes: size } of members) places.set(`${name} ${field}`, [offset, size])
  }
  return places
}

describe('shared structs have one layout', () => {
  test('TypeScript has what the C++ compiler has', () => {
    expect(cpp.size).toBeGreaterThan(60)
    expect(Object.fromEntries(typescript)).toEqual(Object.fromEntries(cpp))
  })

  test.each(objects)('and %s has the same, as far as it uses them', (object) => {
    const used = btf(object)
    const policies = ['pyi_sandbox', 'pyi_policy', 'pyi_net_rule', 'pyi_event']
    for (const name of object.startsWith('bandwidth') ? ['pyi_socket', 'pyi_bandwidth', 'pyi_traffic'] : policies)
      expect([...used.keys()]).toContain(`${name} -`)
    for (const [field, place] of used) expect([field, place]).toEqual([field, cpp.get(field)])
  })

  test('every struct is used by some object', () => {
    const used = new Set(objects.flatMap((object) => [...btf(object).keys()]))
    // Contracts' programs, which have no types, write these.
    const unused = [...cpp.keys()].filter((field) => !used.has(field) && !field.startsWith('pyi_contract_event '))
    expect(unused).toEqual([])
  })
})
