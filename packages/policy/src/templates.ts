import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = new URL('../templates/', import.meta.url)

/** The names of the templates that come with this package. */
export function templateNames(): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length))
    .sort()
}

/** A template's file and text, or undefined. */
export function template(name: string): { readonly file: string; readonly text: string } | undefined {
  if (!templateNames().includes(name)) return undefined
  const file = fileURLToPath(new URL(`${name}.yaml`, folder))
  return { file: `${name}.yaml`, text: readFileSync(file, 'utf8') }
}
