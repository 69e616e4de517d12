// Formats the C++ sources (--write) or says which are not. Versions of clang-format disagree with each other,
// so only the one that belongs to the hardened profile's compiler is used.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { findCommand } from '../bootstrap/lib/exec.mjs'
import { projectFiles } from './files.mjs'

const TOOL = 'clang-format-19'

export function clangFormat(root, files, { write = false } = {}) {
  const sources = files.filter((file) => /\.(?:cc|h)$/.test(file))
  if (!findCommand(TOOL)) return { skipped: `${TOOL} is not installed` }
  if (sources.length === 0) return { problems: [] }
  const mode = write ? ['-i'] : ['--dry-run', '--Werror']
  const result = spawnSync(TOOL, [...mode, ...sources], { cwd: root, encoding: 'utf8' })
  const named = new Set([...(result.stderr ?? '').matchAll(/^([^\s:]+):\d+/gm)].map(([, file]) => file))
  return { problems: [...named].map((file) => `${file}: not formatted; npm run format does it`) }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const { skipped, problems = [] } = clangFormat(root, projectFiles(root), { write: process.argv.includes('--write') })
  process.stdout.write(
    [skipped ?? [], problems]
      .flat()
      .map((line) => `${line}\n`)
      .join(''),
  )
  process.exitCode = problems.length > 0 ? 1 : 0
}
