import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Compiles a C program (or, with -shared, a library) into `folder` and gives its path. */
export function compile(folder: string, name: string, source: string, flags: readonly string[]): string {
  const file = join(folder, `${name}.c`)
  const output = join(folder, name)
  writeFileSync(file, source)
  // -w: what is compiled here is badly protected on purpose, and toolchains warn of that.
  execFileSync('gcc', ['-w', '-O2', file, ...flags, '-o', output], { stdio: ['ignore', 'pipe', 'pipe'] })
  return output
}
