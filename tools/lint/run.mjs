// npm run check: what can be said about the sources without running them.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheRoot } from '../bootstrap/lib/cache.mjs'
import { withPnpm } from '../bootstrap/lib/pnpm.mjs'
import { checkArm64 } from './arm64.mjs'
import { checkBoundaries } from './boundaries.mjs'
import { clangFormat } from './clang-format.mjs'
import { projectFiles } from './files.mjs'
import { checkHosts } from './hosts.mjs'
import { checkSizes } from './sizes.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
const files = projectFiles(root)

function tool(name, args) {
  const env = { ...withPnpm(root, cacheRoot()), TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' }
  const command = path.join(root, 'node_modules', '.bin', name)
  const result = spawnSync(command, args, { cwd: root, env, encoding: 'utf8', maxBuffer: 64 << 20 })
  return result.status === 0
    ? []
    : [`${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`.trim()]
}

const CHECKS = {
  'registry hosts and machine paths': () => checkHosts(root, files),
  'package boundaries': () => checkBoundaries(root, files),
  'file sizes': () => checkSizes(root, files),
  'C++ format': () => {
    const { skipped, problems } = clangFormat(root, files)
    return skipped ? { skipped } : problems
  },
  'arm64, compiled only': () => checkArm64(root),
  'lint and format': () => tool('biome', ['ci', '--colors=off', '--max-diagnostics=50', '.']),
  types: () => tool('turbo', ['run', 'typecheck', '--output-logs=errors-only']),
}

let failed = false
for (const [name, check] of Object.entries(CHECKS)) {
  const problems = await check()
  if (problems.skipped) {
    process.stdout.write(`- ${name}: skipped, ${problems.skipped}\n`)
    continue
  }
  failed ||= problems.length > 0
  process.stdout.write(`${problems.length > 0 ? '✗' : '✓'} ${name}\n${problems.map((text) => `${text}\n`).join('')}`)
}
process.exitCode = failed ? 1 : 0
