import { stripVTControlCharacters } from 'node:util'
import { run } from './exec.mjs'
import { SetupFailure } from './failure.mjs'
import { withPnpm } from './pnpm.mjs'

/** Turbo knows by content what is up to date. */
export async function buildTypeScript({ root, cache, log, report }) {
  const env = { ...withPnpm(root, cache), TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', NO_UPDATE_NOTIFIER: '1' }
  await run('pnpm', ['exec', 'turbo', 'run', 'build', '--output-logs=errors-only'], {
    log,
    env,
    cwd: root,
    onLine: report,
    failure: (tail) => new SetupFailure('TYPESCRIPT_BUILD', `building the packages failed${firstError(tail)}`, { log }),
  })
}

function firstError(tail) {
  const line = tail.split('\n').find((text) => /error TS\d+|✘|\[ERROR\]/.test(text))
  return line ? `: ${stripVTControlCharacters(line).trim().slice(0, 160)}` : ''
}
