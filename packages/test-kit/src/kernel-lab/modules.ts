import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** Files of modules, each behind those it depends on; a name without a file is built into the kernel. */
export function moduleFiles(folder: string, wanted: readonly string[]): string[] {
  const files = new Map<string, string>()
  for (const entry of readdirSync(join(folder, 'kernel'), { recursive: true, withFileTypes: true }))
    if (entry.name.endsWith('.ko')) files.set(moduleName(entry.name), join(entry.parentPath, entry.name))
  const ordered: string[] = []
  const visit = (name: string): void => {
    const file = files.get(moduleName(name))
    if (file === undefined || ordered.includes(file)) return
    for (const dependency of dependenciesOf(file)) visit(dependency)
    ordered.push(file)
  }
  for (const name of wanted) visit(name)
  return ordered
}

/** The kernel takes - and _ for the same. */
function moduleName(file: string): string {
  return basename(file, '.ko').replaceAll('-', '_')
}

/** The field "depends" of a module's .modinfo section: a list with commas, ended by a NUL. */
function dependenciesOf(file: string): string[] {
  const bytes = readFileSync(file)
  const at = bytes.indexOf('\0depends=')
  if (at < 0) return []
  const start = at + '\0depends='.length
  return bytes.toString('latin1', start, bytes.indexOf(0, start)).split(',').filter(Boolean)
}
